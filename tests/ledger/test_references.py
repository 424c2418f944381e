"""What a person writes for a job means one job, or the error says which it might be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ftbridge.errors import JobNotFound
from ftbridge.ledger import Intent, Ledger, Prepared, Record, find_record
from ftbridge.model import Spec, Status

MADE = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TARGETS = ("openai:gpt-4.1-mini", "mock+openai:gpt-4.1-mini", "local:tiny")


def add(ledger: Ledger, job_id: str, name: str | None = None, target: str = "local:tiny") -> Record:
    spec = Spec(target=target, data=Path("rows.jsonl"), name=name)
    made = MADE + timedelta(hours=len(ledger.jobs()))
    files = Prepared(training="k1")
    return ledger.add(Intent(id=job_id, target=target, spec=spec, prepared=files, request_hash="h1", created_at=made))


def found(ledger: Ledger, reference: str) -> str:
    return find_record(ledger, reference).record.job.id


def test_a_job_is_found_by_the_beginning_of_its_id_or_as_the_last(ledger: Ledger) -> None:
    add(ledger, "ftb_aaaa")
    add(ledger, "ftb_abbb")
    assert found(ledger, "ftb_aa") == "ftb_aaaa"
    assert found(ledger, "last") == "ftb_abbb"
    for unknown in ("ftb_z", "", "ftb%", "FTB_AA", "local:"):
        with pytest.raises(JobNotFound, match="no job"):
            find_record(ledger, unknown)


def test_the_beginning_of_several_ids_names_them(ledger: Ledger) -> None:
    add(ledger, "ftb_aaaa", "first")
    add(ledger, "ftb_abbb")
    with pytest.raises(JobNotFound) as problem:
        find_record(ledger, "ftb_a")
    assert problem.value.message.endswith("of several jobs: ftb_abbb, ftb_aaaa (first)")


def test_a_whole_id_is_found_though_newer_ones_begin_with_it(ledger: Ledger) -> None:
    for job_id in ("ftb_aa", "ftb_aabb", "ftb_aacc", "ftb_aadd"):
        add(ledger, job_id)
    assert found(ledger, "ftb_aa") == "ftb_aa"


def test_the_last_job_is_the_newest_that_was_not_refused(ledger: Ledger) -> None:
    ledger.change(add(ledger, "ftb_made"), status=Status.RUNNING, remote_id="remote-1")
    ledger.change(add(ledger, "ftb_refused"), status=Status.FAILED)
    ledger.change(add(ledger, "ftb_withdrawn"), status=Status.CANCELLED)
    assert found(ledger, "last") == "ftb_withdrawn"
    add(ledger, "ftb_waits")
    assert found(ledger, "last") == "ftb_waits"


def test_every_provider_has_a_last_job_of_its_own(ledger: Ledger) -> None:
    for number, target in enumerate(TARGETS):
        add(ledger, f"ftb_{number}", target=target)
    assert [found(ledger, f"{target.partition(':')[0]}:last") for target in TARGETS] == ["ftb_0", "ftb_1", "ftb_2"]
    with pytest.raises(JobNotFound) as problem:
        find_record(ledger, "opnai:last")
    assert problem.value.hint.startswith("Did you mean 'openai:last'")


def test_a_name_means_the_newest_job_of_that_name(ledger: Ledger) -> None:
    add(ledger, "ftb_1", "longrun", "openai:gpt-4.1-mini")
    add(ledger, "ftb_2", "longrun")
    add(ledger, "ftb_3", "longrun-2")
    assert find_record(ledger, "longrun")[0].job.id == "ftb_2"
    assert find_record(ledger, "longrun").namesakes == 2
    assert find_record(ledger, "longrun-2").namesakes == 1
    assert find_record(ledger, "ftb_2").namesakes == 0
    assert found(ledger, "openai:longrun") == "ftb_1"
    with pytest.raises(JobNotFound):
        find_record(ledger, "long")


def test_a_name_may_hold_anything(ledger: Ledger) -> None:
    for number, name in enumerate(("a:b", "50%", "it's “so”", "日本", "x\u202ey")):
        add(ledger, f"ftb_{number}", name)
        assert found(ledger, name) == f"ftb_{number}"


def test_a_name_that_is_the_beginning_of_another_jobs_id_is_not_guessed_at(ledger: Ledger) -> None:
    add(ledger, "ftb_aaaa")
    add(ledger, "ftb_bbbb", "ftb_a")
    with pytest.raises(JobNotFound, match=r"several jobs: ftb_aaaa, ftb_bbbb \(ftb_a\)"):
        find_record(ledger, "ftb_a")


def test_similar_names_are_suggested(ledger: Ledger) -> None:
    for number, name in enumerate(("support-v1", "support-v2", "billing")):
        add(ledger, f"ftb_{number}", name)
    with pytest.raises(JobNotFound) as problem:
        find_record(ledger, "suport-v2")
    assert problem.value.hint.startswith("Did you mean 'support-v2' or 'support-v1'?")
