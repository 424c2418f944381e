"""After a deletion: keys keep their meaning, results are said to be deleted, and what is in use or unknown stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.errors import JobFailed, SpecError, UsageError
from ftbridge.ledger import Intent, Prepared
from ftbridge.mock.vendors import MockVendors
from ftbridge.model import Job, Spec, now
from ftbridge.provider import Listed
from ftbridge.provider.paging import unfinished
from ftbridge_local.job_documents import UPLOADS
from ftbridge_local.job_folder import JobFolder
from ftbridge_providers.openai_api.adapter import OpenAIApiProvider
from removal.conftest import with_canary
from removal.test_delete import by_kind, done


def open_job(bridge: Bridge, target: str) -> str:
    """An open job of the ledger, which starts from the model of that target."""
    spec = Spec(target=target, data=bridge.home / "other.jsonl")
    intent = Intent(
        id="ftb_other",
        target=target,
        spec=spec,
        prepared=Prepared(training="another"),
        request_hash="another",
        created_at=now(),
    )
    return bridge.ledger.add(intent).job.id


def test_a_key_of_a_job_whose_model_was_deleted_buys_no_other_job(bridge: Bridge, rows: Path) -> None:
    job = done(bridge, rows, "mock+openai", idempotency_key="monday")
    bridge.delete(job, at_vendor=True)
    with pytest.raises(SpecError, match=f"'monday' belongs to {job.id}, whose model was deleted") as problem:
        bridge.submit(rows, job.target, idempotency_key="monday")
    assert "another key" in problem.value.hint
    assert "--again" in problem.value.hint
    assert [one.id for one in bridge.jobs()] == [job.id]
    assert bridge.submit(rows, job.target).id != job.id


def test_nothing_is_deleted_while_it_is_not_known_who_needs_it(
    bridge: Bridge, here: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = done(bridge, rows, "mock+openai")
    listed = OpenAIApiProvider.jobs

    def breaks_off(provider: OpenAIApiProvider) -> Iterator[Listed]:
        yield from listed(provider)
        raise unfinished("openai", "it says that there is more, and sends nothing new")

    monkeypatch.setattr(OpenAIApiProvider, "jobs", breaks_off)
    ran = here("delete", job.id, "--at-vendor", "--yes", "--json")
    assert ran.code == 1
    items = [item for item in ran.json["items"] if item["at"] and item["kind"] != "job"]
    assert {item["outcome"] for item in items} == {"failed"}
    assert all("not known whether another job needs it" in item["why"] for item in items)
    assert with_canary(bridge.home / "mock")


def test_a_checkpoint_that_an_open_job_starts_from_stays(bridge: Bridge, rows: Path) -> None:
    job = done(bridge, rows, "mock+openai", epochs=3)
    [checkpoint, *_others] = bridge.checkpoints(job)
    other = open_job(bridge, f"mock+openai:{checkpoint.model}")
    outcomes = {item.name: item for item in bridge.delete(job, at_vendor=True, dry_run=True).items}
    assert outcomes[checkpoint.model].outcome == "in use"
    assert other in outcomes[checkpoint.model].why


@pytest.mark.parametrize("vendor", ["openai", "together"])
def test_a_model_that_another_homes_job_starts_from_stays(
    vendors: MockVendors, bridge: Bridge, rows: Path, tmp_path: Path, vendor: str
) -> None:
    job = done(bridge, rows, vendor)
    assert job.result
    vendors[vendor].faults.add("create_job=stall:60")
    with Bridge(tmp_path / "another") as elsewhere:
        elsewhere.submit(rows, f"{vendor}:{job.result.model if vendor == 'openai' else job.remote_id}")
        assert by_kind(bridge.delete(job, at_vendor=True))["model"] == "in use"
        elsewhere.cancel("last")
    assert by_kind(bridge.delete(job, at_vendor=True))["model"] == "removed"


@pytest.mark.parametrize("where", ["", "checkpoints/step-000002"])
def test_a_local_job_is_in_use_while_an_open_one_starts_from_it(
    bridge: Bridge, trained: Callable[..., Job], where: str
) -> None:
    job = trained()
    folder = JobFolder(bridge.home / "local" / "jobs" / job.id)
    open_job(bridge, f"local:{folder.path.absolute() / where}" if where else f"local:{job.id[:6]}")
    if not where:
        with pytest.raises(UsageError, match="starts from the model"):
            bridge.delete(job, result=True)
        return
    kept = folder.path / where
    for receipt in (bridge.delete(job), bridge.prune()):
        assert [item.name for item in receipt.items if item.outcome == "in use"] == [str(kept)]
    assert kept.is_dir()


@pytest.mark.parametrize("broken", ["empty", "garbled", "a folder"])
def test_a_job_that_cannot_be_read_does_not_keep_the_others(
    bridge: Bridge, trained: Callable[..., Job], broken: str
) -> None:
    job, other = trained("bad"), trained("good")
    uploads = JobFolder(bridge.home / "local" / "jobs" / job.id).path / UPLOADS
    uploads.unlink()
    uploads.mkdir() if broken == "a folder" else uploads.write_text("" if broken == "empty" else "{]")
    assert [item.job for item in bridge.prune().unfinished] == []
    assert not [name for name in with_canary(bridge.home) if other.id in name]
    assert not bridge.delete(job).unfinished


@pytest.mark.parametrize("where", ["local", "mock+openai"])
def test_a_deleted_result_is_said_to_be_deleted(
    bridge: Bridge, here: Cli, rows: Path, tmp_path: Path, trained: Callable[..., Job], where: str
) -> None:
    is_local = where == "local"
    job = trained() if is_local else done(bridge, rows, where)
    bridge.delete(job, result=is_local, at_vendor=not is_local)
    sentence = f"the result of {job.id} was deleted on {now().astimezone():%Y-%m-%d}"
    with pytest.raises(JobFailed, match=sentence):
        bridge.fetch(job, tmp_path / "out")
    with pytest.raises(JobFailed, match=sentence):
        bridge.chat(job, "hello")
    with pytest.raises(JobFailed, match=sentence):
        bridge.stream(job, "hello")
    with pytest.raises(JobFailed, match=sentence):
        bridge.evaluate(job, rows)
    if is_local:
        with pytest.raises(JobFailed, match=sentence):
            bridge.export(job, tmp_path / "exported")
    shown = here("show", job.id).out
    reported = " ".join(shown[shown.index(" deleted ") :].split())
    assert f"deleted {now().astimezone():%Y-%m-%d}" in reported
    assert " model " in reported


def test_the_tables_name_each_item_however_narrow(here: Cli, trained: Callable[..., Job]) -> None:
    job = trained()
    for words in (["prune"], ["delete", job.id, "--result"]):
        for columns in (80, 120, 30):
            planned = here(*words, "--dry-run", columns=columns)
            assert planned.code == 0
            shown = " ".join(planned.out.replace("-\n", "-").split())
            assert all(name in shown for name in ("step-000002", "step-000004", "training.jsonl")), (columns, shown)
            assert max(map(len, planned.out.splitlines()[:9])) <= columns


def test_a_repeated_deletion_says_that_all_is_gone(bridge: Bridge, here: Cli, rows: Path) -> None:
    job = done(bridge, rows, "mock+openai")
    assert "already gone" not in here("delete", job.id, "--at-vendor", "--yes").out
    count = len(bridge.events(job))
    again = here("delete", job.id, "--at-vendor", "--yes").out
    assert "0 items removed" in again
    assert "already gone." in again
    assert len(bridge.events(job)) == count
