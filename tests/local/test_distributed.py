"""Several processes that train one model together: what they compute, and what becomes of them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ftbridge.errors import SpecError
from ftbridge.model import Event, Hyperparameters, Method, Status
from ftbridge_local.models.device import cores
from ftbridge_local.trainer import settings
from local.lab import Lab

SETTINGS: dict[str, Any] = {"epochs": 6, "batch_size": 5, "eval_interval": 3, "seed": 3}
LONG: dict[str, Any] = {"epochs": 500, "batch_size": 4, "devices": 2}
PROCESSES = Path("/proc")
needs_processes = pytest.mark.skipif(not PROCESSES.exists(), reason="the processes are looked for in /proc")


@pytest.fixture(scope="module")
def rows(lab: Lab) -> Path:
    """So many chats that the last step of an epoch has only one, and one process nothing to do."""
    file = lab.data.training.with_name("odd.jsonl")
    file.write_text("".join(lab.data.training.read_text().splitlines(keepends=True)[:21]), "utf-8")
    return file


@pytest.fixture(scope="module")
def preferences(lab: Lab) -> Path:
    """The chats, with an answer of another colour as the worse one."""
    file = lab.data.training.with_name("odd-preferences.jsonl")
    chats = [json.loads(line)["messages"] for line in lab.data.training.read_text().splitlines()[:7]]
    pairs = [
        {"input": {"messages": asked}, "preferred_output": [better], "non_preferred_output": [other[-1]]}
        for (*asked, better), other in zip(chats, chats[1:] + chats[:1], strict=True)
    ]
    file.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), "utf-8")
    return file


@pytest.fixture(scope="module")
def together(lab: Lab, rows: Path) -> str:
    """A job of two processes that nobody disturbed."""
    lab.submit("together", training=rows, devices=2, **SETTINGS)
    remote = lab.wait("together")
    assert remote.status is Status.SUCCEEDED, remote.error
    return "together"


@pytest.fixture
def unchanged_threads() -> Any:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def facts(event: Event) -> dict[str, Any]:
    """What the step computed: all but how long it took, and what memory."""
    return event.model_dump(exclude={"at", "kind", "cursor", "tokens_per_second", "peak_memory"}, exclude_none=True)


def steps(lab: Lab, tag: str) -> list[dict[str, Any]]:
    return [facts(event) for event in lab.events(tag) if event.kind == "metric"]


def alike(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    """The same but for what float32 makes of sums in another order, which is some millionths after a few steps."""
    assert len(one) == len(other)
    for mine, its in zip(one, other, strict=True):
        assert mine == pytest.approx(its, rel=1e-4), mine["step"]


def parts_of(lab: Lab, tag: str) -> dict[int, int]:
    """The process ids of the job's processes by their number; those that are about to end are left out."""
    found = {}
    for process in PROCESSES.glob("[0-9]*"):
        try:
            if str(lab.folder(tag).path) in (process / "cmdline").read_text().split("\0"):
                words = dict(word.partition("=")[::2] for word in (process / "environ").read_text().split("\0"))
                if "RANK" in words:
                    found[int(words["RANK"])] = int(process.name)
        except OSError:
            continue
    return found


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def listening(pid: int) -> set[str]:
    """The addresses, as the kernel writes them, at which a process waits for others to connect."""
    links = [str(file.readlink()) for file in (PROCESSES / str(pid) / "fd").iterdir()]
    found = set()
    for table in ("tcp", "tcp6"):
        for line in (PROCESSES / str(pid) / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in links:
                found.add(fields[1].partition(":")[0])
    return found


def test_two_processes_give_the_losses_and_the_adapter_that_one_gives(
    lab: Lab, rows: Path, together: str, unchanged_threads: None
) -> None:
    alone = lab.train("alone", training=rows, validation=lab.data.validation, lora_dropout=None, **SETTINGS)
    alike(steps(lab, together), steps(lab, "alone"))
    assert [event.valid_loss for event in lab.events(together) if event.valid_loss], "evaluated as well"
    mine, its = (load_file(folder.result / "adapter_model.safetensors") for folder in (lab.folder(together), alone))
    for name, weight in mine.items():
        torch.testing.assert_close(weight, its[name], rtol=0, atol=2e-4)


def test_it_is_one_job_with_one_stream_of_events(lab: Lab, together: str) -> None:
    events = lab.events(together)
    statuses = [event.status for event in events if event.kind == "status"]
    assert statuses == [Status.VALIDATING, Status.RUNNING, Status.SUCCEEDED]
    assert [step["step"] for step in steps(lab, together)] == list(range(31))
    messages = [event.message for event in events if event.kind == "message"]
    assert len(messages) == len(set(messages)), "none is told twice"
    assert [event.code for event in events if event.code] == ["settings", "trained", "rows"]
    assert lab.folder(together).log.read_text() == ""


@needs_processes
def test_a_killed_process_costs_the_way_back_to_the_checkpoint_and_changes_nothing(
    lab: Lab, rows: Path, together: str
) -> None:
    lab.submit("bereft", training=rows, devices=2, **SETTINGS)
    lab.wait("bereft", lambda: any(event.kind == "checkpoint" for event in lab.events("bereft")))
    parts = parts_of(lab, "bereft")
    assert sorted(parts) == [0, 1]
    launcher = lab.folder("bereft").worker_pid
    assert launcher
    assert set.union(*map(listening, [launcher, *parts.values()])) <= {"0100007F"}, "none but this machine"
    os.kill(parts[1], signal.SIGKILL)

    assert lab.wait("bereft").status is Status.SUCCEEDED
    messages = [event.message or "" for event in lab.events("bereft") if event.kind == "message"]
    assert "one of the processes was lost; all continue from the last checkpoint" in messages
    assert any("continuing from the checkpoint of step" in message for message in messages)
    undisturbed = {step["step"]: step for step in steps(lab, together)}
    assert all(step == undisturbed[step["step"]] for step in steps(lab, "bereft")), "however often it was made"
    assert {step["step"] for step in steps(lab, "bereft")} == set(undisturbed)
    mine, its = (lab.folder(tag).result / "adapter_model.safetensors" for tag in ("bereft", together))
    assert mine.read_bytes() == its.read_bytes()


def test_preferences_are_learned_together_and_cancel_ends_every_process(
    lab: Lab, preferences: Path, unchanged_threads: None
) -> None:
    settings = {**LONG, "method": "dpo"}
    lab.submit("preferring", training=preferences, validation=preferences, **settings)
    lab.wait("preferring", lambda: len(steps(lab, "preferring")) > 1)
    mine = json.loads((lab.folder("preferring").path / "reference-training.json").read_text())
    lab.provider.cancel("preferring")
    assert not lab.folder("preferring").alive, "every process holds the lock"
    assert lab.poll("preferring").status is Status.CANCELLED

    alone = lab.folder("preferring-alone")
    alone.path.mkdir()
    alone.ask("pause")  # after the first step; a paused job keeps its data
    lab.train("preferring-alone", training=preferences, lora_dropout=None, **{**settings, "devices": 1, "seed": 0})
    alike(steps(lab, "preferring")[:2], steps(lab, "preferring-alone"))
    its = json.loads((alone.path / "reference-training.json").read_text())
    assert mine == pytest.approx(its, rel=1e-4)


@needs_processes
def test_when_the_launcher_is_killed_the_others_end_as_well(lab: Lab) -> None:
    lab.submit("headless", **LONG)
    wait_for(lambda: len(parts_of(lab, "headless")) == 2)
    launcher = lab.folder("headless").worker_pid
    assert launcher
    os.kill(launcher, signal.SIGKILL)
    wait_for(lambda: not lab.folder("headless").alive)
    assert not parts_of(lab, "headless")
    assert lab.poll("headless").status is Status.FAILED


def test_what_goes_wrong_in_all_of_them_is_told_once(lab: Lab) -> None:
    lab.submit("hopeless", **LONG, max_seq_length=8)
    remote = lab.wait("hopeless")
    assert remote.status is Status.FAILED
    assert remote.error == "training.jsonl has no row to train on"
    failed = [event for event in lab.events("hopeless") if event.status is Status.FAILED]
    assert len(failed) == 1


def test_more_devices_than_there_are_is_refused(lab: Lab) -> None:
    if torch.cuda.is_available():
        there = torch.cuda.device_count()
    else:
        there = 1 if torch.backends.mps.is_available() else cores()
    with pytest.raises(SpecError, match=f"devices = 1000 is more than this machine has: {there} ") as refused:
        lab.provider.check_limits(lab.spec(devices=1000), "tiny")
    assert refused.value.hint == f"Use --devices {there}, or leave it out."
    lab.provider.check_limits(lab.spec(devices=1), "tiny")


def test_more_devices_than_examples_in_a_step_are_refused(lab: Lab) -> None:
    with pytest.raises(SpecError, match="4 devices cannot share a step of batch_size = 3"):
        lab.provider.converter(lab.spec(devices=4, batch_size=3), "tiny")


def test_a_step_has_an_example_for_each_device_where_nobody_says_how_many() -> None:
    for devices, examples in ((None, 4), (3, 4), (16, 16)):
        chosen, _note = settings.choose(
            Hyperparameters(devices=devices),
            Method.SFT,
            parameters=10**6,
            context=512,
            prefers_bf16=False,
            adapter=False,
        )
        assert chosen.batch_size == examples
