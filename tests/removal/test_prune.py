"""`prune`: no training row is left of jobs that are over, and all of those that are not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.home import temporary_folder
from ftbridge.model import Job, Status
from ftbridge.removal.receipt import Receipt
from ftbridge_local.job_folder import JobFolder
from removal.conftest import CANARY, with_canary

VENDORS = {
    "openai": "gpt-4.1-mini-2025-04-14",
    "azure": "gpt-4.1-mini-2025-04-14",
    "together": "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference",
    "mistral": "open-mistral-nemo",
    "nebius": "meta-llama/Llama-3.1-8B-Instruct",
}


def outcomes(receipt: Receipt) -> dict[str, str]:
    """By the name of each file or folder."""
    return {Path(item.name).name: item.outcome for item in receipt.items}


def old(path: Path) -> Path:
    """As if it had been written two days ago."""
    at = time.time() - 2 * 86_400
    os.utime(path, (at, at))
    return path


def test_no_row_is_left_in_the_home(bridge: Bridge, rows: Path, trained: Callable[..., Job]) -> None:
    jobs = [bridge.submit(rows, f"mock+{vendor}:{model}") for vendor, model in VENDORS.items()]
    assert {bridge.wait(job).status for job in jobs} == {Status.SUCCEEDED}
    trained()
    left = [
        bridge.home / "prepared" / "draft-1.jsonl",
        bridge.home / "prepared" / ".new-1" / "0",
        bridge.home / "temporary" / "gone" / "rows.jsonl",
        bridge.home / "imports" / "ftjob-1" / "training.jsonl",
        bridge.home / "mock" / "openai" / "contents" / ".file-1.abcd",
        bridge.home / "downloads" / "ft-1.tar.zst",
    ]
    for file in left:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(CANARY, "utf-8")
        old(file)
        old(file.parent)
    assert len(with_canary(bridge.home)) > len(left)

    planned = bridge.prune(dry_run=True)
    assert len(with_canary(bridge.home)) > len(left)
    receipt = bridge.prune()
    assert with_canary(bridge.home) == []
    assert [(item.kind, item.name) for item in receipt.items] == [(item.kind, item.name) for item in planned.items]
    assert {item.outcome for item in receipt.items} == {"removed"}
    assert receipt.bytes > 0
    assert bridge.prune().items == ()


def test_what_was_pruned_at_a_mock_is_uploaded_again(bridge: Bridge, rows: Path) -> None:
    target = f"mock+together:{VENDORS['together']}"
    bridge.wait(bridge.submit(rows, target))
    bridge.prune()
    assert bridge.wait(bridge.submit(rows, target, again=True)).status is Status.SUCCEEDED


def test_the_result_stays(bridge: Bridge, trained: Callable[..., Job]) -> None:
    job = trained()
    receipt = bridge.prune()
    folder = JobFolder(bridge.home / "local" / "jobs" / job.id)
    assert (folder.result / "adapter_model.safetensors").read_text("utf-8") == "weights"
    assert folder.state().status is Status.SUCCEEDED
    assert outcomes(receipt)["step-000004"] == outcomes(receipt)["training.jsonl"] == "removed"
    assert with_canary(bridge.home) == []
    assert bridge.job(job).result == job.result


@pytest.mark.parametrize("status", [Status.PAUSED, Status.RUNNING, Status.QUEUED, Status.UNKNOWN])
def test_a_job_that_is_not_over_keeps_everything(bridge: Bridge, trained: Callable[..., Job], status: Status) -> None:
    trained(status=status)
    before = with_canary(bridge.home)
    assert bridge.prune(older_than=timedelta()).items == ()
    assert with_canary(bridge.home) == before


def test_a_job_whose_worker_lives_keeps_its_files_although_the_ledger_calls_it_over(
    bridge: Bridge, trained: Callable[..., Job]
) -> None:
    job = trained(status=Status.FAILED, ended_hours_ago=1000)
    folder = JobFolder(bridge.home / "local" / "jobs" / job.id)
    folder.set_status(Status.RUNNING)  # it was resumed elsewhere
    lock = folder.lock()
    assert lock is not None
    try:
        receipt = bridge.prune()
    finally:
        os.close(lock)
    assert outcomes(receipt)["training.jsonl"] == outcomes(receipt)["step-000002"] == "in use"
    assert (folder.path / "training.jsonl").exists()


def test_a_failed_job_can_be_resumed_for_a_week(bridge: Bridge, trained: Callable[..., Job]) -> None:
    trained("new", Status.FAILED)
    trained("old", Status.FAILED, ended_hours_ago=8 * 24)
    [kept] = [item for item in bridge.prune().items if item.outcome == "kept"]
    assert kept.job == "ftb_new"
    assert "resumed" in kept.why
    jobs = bridge.home / "local" / "jobs"
    assert (jobs / "ftb_new" / "training.jsonl").exists()
    assert not (jobs / "ftb_old" / "training.jsonl").exists()
    bridge.prune(older_than=timedelta())
    assert with_canary(bridge.home) == []


def test_only_what_is_old_enough_goes(bridge: Bridge, trained: Callable[..., Job]) -> None:
    trained("new", ended_hours_ago=1)
    trained("old", ended_hours_ago=49)
    bridge.prune(older_than=timedelta(days=2))
    jobs = bridge.home / "local" / "jobs"
    assert (jobs / "ftb_new" / "training.jsonl").exists()
    assert (bridge.home / "local" / "files" / "keynew.jsonl").exists()
    assert not (jobs / "ftb_old" / "training.jsonl").exists()
    assert not (bridge.home / "local" / "files" / "keyold.jsonl").exists()


def test_a_copy_in_use_stays_and_one_of_a_process_that_died_goes(bridge: Bridge) -> None:
    with temporary_folder(bridge.home) as used:
        (used / "rows.jsonl").write_text(CANARY, "utf-8")
        left = bridge.home / "temporary" / "left"
        left.mkdir()
        old(left)
        old(used)
        bridge.prune()
        assert (used / "rows.jsonl").exists()
        assert not left.exists()
    assert with_canary(bridge.home) == []


def test_a_prune_that_is_killed_leaves_whole_things_and_the_next_one_finishes_it(
    bridge: Bridge, trained: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = trained()
    checkpoints = JobFolder(bridge.home / "local" / "jobs" / job.id).checkpoints
    file = bridge.home / "imports" / "ftjob-1" / "training.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(CANARY, "utf-8")
    old(file)
    old(file.parent)

    class Killed(BaseException):
        pass

    def kill(*_given: object, **_named: object) -> None:
        raise Killed

    for _time in range(4):  # each gets one folder further
        with monkeypatch.context() as patched:
            patched.setattr("ftbridge.files.shutil.rmtree", kill)
            with pytest.raises(Killed):
                bridge.prune()
        assert all((step / "adapter_model.safetensors").exists() for step in checkpoints.glob("step-*"))
    bridge.prune()
    assert with_canary(bridge.home) == []
    assert bridge.prune().items == ()


def test_data_that_was_just_read_from_a_vendor_stays_for_a_day(bridge: Bridge) -> None:
    file = bridge.home / "imports" / "ftjob-1" / "training.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(CANARY, "utf-8")
    assert bridge.prune().items == ()
    old(file)
    old(file.parent)
    bridge.prune()
    assert not file.parent.exists()


def test_a_mock_keeps_its_state_as_long_as_a_job_there_has_a_result(bridge: Bridge, rows: Path) -> None:
    jobs = [bridge.wait(bridge.submit(rows, f"mock+{name}:{VENDORS[name]}")) for name in ("openai", "together")]
    folders = [bridge.home / "mock" / name for name in ("openai", "together")]
    bridge.prune()
    assert all(folder.exists() for folder in folders)
    bridge.delete(jobs[0], at_vendor=True)
    [state] = bridge.prune().items
    assert (state.kind, state.name, state.outcome) == ("mock", str(folders[0]), "removed")
    assert [folder.exists() for folder in folders] == [False, True]
    assert bridge.prune().items == ()
    assert {item.outcome for item in bridge.delete(jobs[0], at_vendor=True).items} <= {"gone", "kept"}
    assert bridge.chat(jobs[1], "Where is my order?").text


def test_copies_of_tokenizers_go_while_no_local_job_is_open(bridge: Bridge, trained: Callable[..., Job]) -> None:
    folder = bridge.home / "local" / "tokenizers" / "0123"
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    trained("two", Status.RUNNING)
    bridge.prune()
    assert folder.exists()
    bridge.ledger.change(bridge.record("ftb_two"), status=Status.FAILED)
    assert "0123" in outcomes(bridge.prune())
    assert not folder.exists()
