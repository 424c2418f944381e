"""The worker that waits while a job is prepared, and what it finds ready."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ftbridge.dataset import convert, read_examples
from ftbridge.model import Status
from ftbridge.provider import Files
from ftbridge_local.command import Command
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.runners import process
from ftbridge_local.runners.standby import Standby
from ftbridge_local.tokenizing import cache
from ftbridge_local.tokenizing.encoding import tokenize
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from ftbridge_local.trainer import rows
from local.lab import SETTINGS, Lab
from local.test_interruptions import LONG


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process ids of the workers that are started in the test."""
    ids: list[int] = []

    class Known(Standby):
        def __init__(self, command: Command, home: Path, *, preload: bool) -> None:
            super().__init__(command, home, preload=preload)
            ids.append(self._process.pid)

    monkeypatch.setattr(process, "Standby", Known)
    return ids


def runs(pid: int) -> bool:
    """Whether there is such a process, one that is over but not yet waited for left out."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not runs(pid)


def loaded_torch(pid: int) -> bool:
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()


def environment(pid: int, seconds: float = 10) -> bytes:
    """What the process was started with; Linux has it a moment after the call that started the process returns."""
    deadline = time.monotonic() + seconds
    while not (found := Path(f"/proc/{pid}/environ").read_bytes()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def test_a_worker_loads_torch_while_the_job_is_prepared_and_then_works_at_it(lab: Lab, started: list[int]) -> None:
    with lab.provider.preloading(lab.spec(**SETTINGS), "tiny"):
        [waiting] = started
        deadline = time.monotonic() + 60
        while not loaded_torch(waiting) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert loaded_torch(waiting)
        assert not lab.folder("expected").path.exists()
        lab.submit("expected")
    assert lab.wait("expected").status is Status.SUCCEEDED
    assert lab.folder("expected").worker_pid == waiting
    assert started == [waiting]


def test_the_worker_has_no_key_but_the_hubs(lab: Lab, started: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "AZURE_MANAGEMENT_TOKEN", "FTBRIDGE_HOOK_SECRET", "WANDB_API_KEY"):
        monkeypatch.setenv(name, "5cf1e9d0b7a84e2f9d3c6b1a")
    monkeypatch.setenv("FTBRIDGE_LEDGER", "postgresql://me:5cf1e9d0b7a84e2f9d3c6b1a@host/jobs")
    monkeypatch.setenv("HF_TOKEN", "hub-token-1")
    with lab.provider.preloading(lab.spec(**SETTINGS), "tiny"):
        environments = [environment(started[0])]
    lab.submit("without_keys")
    environments.append(environment(started[1]))
    assert lab.wait("without_keys").status is Status.SUCCEEDED
    for found in environments:
        assert b"5cf1e9d0b7a84e2f9d3c6b1a" not in found
        assert b"HF_TOKEN=hub-token-1" in found  # gated models are downloaded by the worker
        assert b"PATH=" in found


def test_where_no_job_comes_the_worker_ends(lab: Lab, started: list[int]) -> None:
    with pytest.raises(ValueError, match="refused"), lab.provider.preloading(lab.spec(), "tiny"):
        raise ValueError("refused")
    assert gone(started[0])


def test_a_worker_ends_with_the_process_that_it_waits_for(tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from ftbridge_local.command import TRAIN
from ftbridge_local.runners.standby import Standby
print(Standby(TRAIN, Path({str(tmp_path)!r}), preload=True)._process.pid, flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as giver:
        assert giver.stdout is not None
        waiting = int(giver.stdout.readline())
        assert runs(waiting)
        giver.kill()
    assert gone(waiting)


def test_each_job_has_a_worker_of_its_own(lab: Lab, started: list[int]) -> None:
    with lab.provider.preloading(lab.spec(**LONG), "tiny"):
        for tag in ("own-1", "own-2"):
            lab.submit(tag, **LONG)
    for tag in ("own-1", "own-2"):
        lab.wait(tag, lambda tag=tag: bool(lab.folder(tag).worker_pid))  # type: ignore[misc]  # it is called at once
    assert [lab.folder(tag).worker_pid for tag in ("own-1", "own-2")] == started
    for tag in ("own-1", "own-2"):
        lab.provider.cancel(tag)


def test_a_worker_that_died_while_it_waited_is_replaced(lab: Lab, started: list[int]) -> None:
    with lab.provider.preloading(lab.spec(**LONG), "tiny"):
        os.kill(started[0], signal.SIGKILL)
        assert gone(started[0])
        lab.submit("replaced", **LONG)
    lab.wait("replaced", lambda: bool(lab.folder("replaced").worker_pid))
    assert lab.folder("replaced").worker_pid == started[1]
    lab.provider.cancel("replaced")


def test_the_job_is_the_workers_before_it_looks_and_nobodys_if_it_never_does(lab: Lab, started: list[int]) -> None:
    with lab.provider.preloading(lab.spec(**LONG), "tiny"):
        os.kill(started[0], signal.SIGSTOP)
        lab.submit("asleep", **LONG)
    assert lab.folder("asleep").alive
    assert [job.status for job in lab.provider.find("asleep")] == [Status.VALIDATING]
    lab.submit("asleep", **LONG)
    assert len(started) == 1
    os.kill(started[0], signal.SIGKILL)
    assert gone(started[0])
    assert lab.provider.find("asleep") == []
    lab.submit("asleep", **LONG)
    assert len(started) == 2
    lab.provider.cancel("asleep")


def test_what_was_checked_is_not_tokenized_again(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, home = lab.spec(), lab.provider.home
    data = tmp_path / "data.jsonl"
    data.write_text(lab.data.training.read_text("utf-8").replace("Paint", "Colour"), "utf-8")
    with lab.provider.preloading(spec, "tiny"):
        conversion = convert(data, lab.provider.converter(spec, "tiny"), tmp_path / "out.jsonl")
        training = lab.provider.upload(conversion.out, key=conversion.key)
        lab.provider.create(spec, "tiny", Files(training=training), tag="checked")
    tokenizer = Tokenizer(tiny.tokenizer_folder(home))
    fresh = rows.read(Path(training), tokenizer, 1024, tmp_path / "elsewhere", pytest.fail)
    monkeypatch.setattr("ftbridge_local.tokenizing.encoding.tokenize", lambda *_: pytest.fail("it is tokenized again"))
    assert rows.read(Path(training), tokenizer, 1024, home, pytest.fail) == fresh
    lab.provider.cancel("checked")


def test_so_many_tokens_that_memory_would_suffer_are_not_remembered(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = Tokenizer(tiny.tokenizer_folder(lab.provider.home))
    examples = [example for _line, example in read_examples(lab.data.training)]
    for most, kept in ((10**6, True), (100, False)):
        monkeypatch.setattr(cache, "_MAX_TOKENS", most)
        seen = cache.TokenizedExamples(tokenizer)
        for example in examples:
            seen.add(example, tokenize(example, tokenizer))
        seen.store(lab.data.training, tmp_path / str(most))
        assert (tmp_path / str(most) / "local").exists() is kept


def test_a_file_that_was_not_checked_just_now_is_left_to_the_worker(lab: Lab, tmp_path: Path) -> None:
    tokenizer = Tokenizer(tiny.tokenizer_folder(lab.provider.home))
    cache.TokenizedExamples(tokenizer).store(lab.data.training, tmp_path)
    assert not (tmp_path / "local").exists()
