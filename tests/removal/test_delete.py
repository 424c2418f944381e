"""`delete`: what of a job goes, here and at its vendor, with a receipt; and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.errors import ProviderError, UsageError
from ftbridge.mock.vendors import MockVendors
from ftbridge.model import Job, Status
from ftbridge.provider import Artifact
from ftbridge.removal.receipt import Receipt
from ftbridge_local.job_folder import JobFolder
from ftbridge_providers.together.adapter import TogetherProvider
from removal.conftest import with_canary
from removal.test_prune import VENDORS


def done(bridge: Bridge, rows: Path, vendor: str, **given: Any) -> Job:
    job = bridge.wait(bridge.submit(rows, f"{vendor}:{VENDORS[vendor.removeprefix('mock+')]}", **given))
    assert job.status is Status.SUCCEEDED, job.error
    return job


def as_done(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of a dry run, as if it had been none."""
    return [item | ({"outcome": "removed"} if item["outcome"] == "to be removed" else {}) for item in items]


def by_kind(receipt: Receipt) -> dict[str, str]:
    return {item.kind: item.outcome for item in receipt.items}


@pytest.mark.parametrize(
    ("vendor", "kept"),
    [
        ("openai", {"job"}),
        ("azure", {"job", "model", "checkpoint"}),
        ("mistral", {"job"}),
        ("nebius", {"job"}),
        ("together", set[str]()),
    ],
)
def test_the_vendors_files_checkpoints_and_model_go(bridge: Bridge, rows: Path, vendor: str, kept: set[str]) -> None:
    job = done(bridge, rows, f"mock+{vendor}")
    planned = bridge.delete(job, at_vendor=True, dry_run=True)
    receipt = bridge.delete(job, at_vendor=True)
    assert as_done(planned.model_dump(mode="json")["items"]) == receipt.model_dump(mode="json")["items"]
    outcomes = by_kind(receipt)
    assert {kind for kind, outcome in outcomes.items() if outcome == "kept"} == kept
    assert {outcome for kind, outcome in outcomes.items() if kind not in kept} == {"removed"}
    assert {"file", "model", "job"} <= outcomes.keys()
    assert all(item.why for item in receipt.items if item.outcome == "kept")
    assert not [name for name in with_canary(bridge.home) if "/contents/" in name]

    replanned = bridge.delete(job, at_vendor=True, dry_run=True)
    assert {item.outcome for item in replanned.items} <= {"gone", "kept"}
    again = bridge.delete(job, at_vendor=True)
    assert {item.outcome for item in again.items} <= {"gone", "kept", "removed"}
    assert not again.unfinished

    known = bridge.job(job)
    assert (known.status, known.cost, known.remote_id) == (job.status, job.cost, job.remote_id)
    assert any(event.code == "deleted" and "uploaded file" in str(event) for event in bridge.events(job))
    if "model" not in kept:
        assert (
            done(bridge, rows, f"mock+{vendor}").id != job.id
        )  # the request is open again, and its file is sent again


def test_a_file_that_another_job_needs_stays(bridge: Bridge, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = done(bridge, rows, "mock+openai")
    bridge.close()
    monkeypatch.setenv("FTBRIDGE_MOCK_FAULTS", "create_job=stall:60")
    other = bridge.submit(rows, job.target, seed=7)
    receipt = bridge.delete(job, at_vendor=True)
    [shared, _metrics] = [item for item in receipt.items if item.kind == "file"]
    assert shared.outcome == "in use"
    assert other.id in shared.why or str(other.remote_id) in shared.why
    assert by_kind(receipt)["model"] == "removed"
    bridge.cancel(other)
    assert by_kind(bridge.delete(job, at_vendor=True))["file"] in ("removed", "gone")
    assert not with_canary(bridge.home / "mock")


def test_what_fails_is_said_and_the_same_command_goes_on(
    bridge: Bridge, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = done(bridge, rows, "mock+together")
    bridge.close()
    monkeypatch.setenv("FTBRIDGE_MOCK_FAULTS", "delete_file=403")
    receipt = bridge.delete(job, at_vendor=True)
    assert by_kind(receipt) == {"file": "failed", "checkpoint": "failed", "model": "failed", "job": "failed"}
    assert "rest has to be deleted first" in str([item.why for item in receipt.unfinished])
    assert any("could not be deleted" in str(event) for event in bridge.events(job))
    assert set(by_kind(bridge.delete(job, at_vendor=True)).values()) == {"removed"}


def test_a_vendor_that_does_not_answer_is_said_and_what_was_removed_here_is_written_down(
    bridge: Bridge, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = done(bridge, rows, "mock+together")

    def refuse(*_: object) -> list[Artifact]:
        raise ProviderError("Together does not answer.", provider="together")

    monkeypatch.setattr(TogetherProvider, "artifacts", refuse)
    [unfinished] = bridge.delete(job, at_vendor=True).unfinished
    assert (unfinished.kind, unfinished.name, unfinished.outcome) == ("job", job.remote_id, "failed")
    assert unfinished.why == "Together does not answer"
    assert any("could not be deleted" in str(event) for event in bridge.events(job))


def test_a_job_that_is_not_over_is_refused(bridge: Bridge, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_FAULTS", "create_job=stall:60")
    job = bridge.submit(rows, f"mock+openai:{VENDORS['openai']}")
    for dry_run in (True, False):
        with pytest.raises(UsageError, match="needs its data") as problem:
            bridge.delete(job, at_vendor=True, dry_run=dry_run)
    assert f"ftbridge cancel {job.id}" in problem.value.hint
    assert with_canary(bridge.home / "mock")
    bridge.cancel(job)


def test_a_deployed_model_is_refused(bridge: Bridge, rows: Path) -> None:
    job = done(bridge, rows, "mock+azure")
    bridge.deploy(job)
    with pytest.raises(UsageError, match="is deployed") as problem:
        bridge.delete(job, at_vendor=True)
    assert f"ftbridge undeploy {job.id}" in problem.value.hint
    bridge.undeploy(job)
    assert by_kind(bridge.delete(job, at_vendor=True))["file"] == "removed"


def test_another_accounts_job_is_refused(
    vendors: MockVendors, bridge: Bridge, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = done(bridge, rows, "together")
    bridge.close()
    monkeypatch.setenv("TOGETHER_API_KEY", "another-key")
    with pytest.raises(UsageError, match="another API key"):
        bridge.delete(job, at_vendor=True)
    assert list(vendors["together"].store.folder.glob("jobs/*"))


def test_a_local_job_keeps_its_result_unless_it_is_named(bridge: Bridge, trained: Callable[..., Job]) -> None:
    job = trained()
    folder = JobFolder(bridge.home / "local" / "jobs" / job.id)
    receipt = bridge.delete(job)
    assert by_kind(receipt)["model"] == "kept"
    assert with_canary(bridge.home) == []
    assert folder.result.exists()
    assert by_kind(bridge.delete(job, result=True)) == {"model": "removed"}
    assert not folder.result.exists()
    assert bridge.delete(job, result=True).items == ()
    assert bridge.job(job).status is Status.SUCCEEDED


def test_on_the_command_line_it_is_confirmed(here: Cli, bridge: Bridge, trained: Callable[..., Job]) -> None:
    job = trained()
    asked = here("delete", job.id)
    assert asked.code == 2
    assert "--yes" in asked.err
    assert with_canary(bridge.home)
    planned = here("delete", job.id, "--dry-run", "--json").json
    assert planned["dry_run"]
    ran = here("delete", job.id, "--yes", "--json")
    assert ran.code == 0
    assert {item["outcome"] for item in planned["items"]} == {"to be removed", "kept"}
    assert ran.json["items"] == as_done(planned["items"])
    assert ran.json["unfinished"] == 0
    assert with_canary(bridge.home) == []
    shown = here("delete", job.id, "--yes")
    assert "kept" in shown.out


def test_prune_on_the_command_line(here: Cli, trained: Callable[..., Job]) -> None:
    trained()
    assert here("prune", "--older-than", "soon").code == 2
    assert "to be removed" in here("prune", "--dry-run").out
    ran = here("prune", "--older-than", "30m", "--json")
    assert ran.code == 0
    assert ran.json["bytes"] > 0
    assert "Nothing is left" in here("prune").out


def test_checkpoints_are_listed_with_their_losses(bridge: Bridge, here: Cli, rows: Path) -> None:
    job = done(bridge, rows, "mock+together", epochs=2)
    listed = here("checkpoints", job.id, "--json").json["checkpoints"]
    assert [one["step"] for one in listed] == sorted(one["step"] for one in listed)
    assert all(one["train_loss"] is not None for one in listed)
    assert here("checkpoints", job.id).code == 0
    mistral = done(bridge, rows, "mock+mistral")
    assert here("checkpoints", mistral.id).code == 3
