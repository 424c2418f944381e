"""A job of the ledger is known by the model that it made, in either database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ftbridge.errors import JobNotFound
from ftbridge.ledger import Ledger, find_record
from ftbridge.model import Cost, Event, Job, Result, Spec, Status

MADE = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path, database: str) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.close()


def adopt(ledger: Ledger, number: int, target: str, model: str | None) -> Job:
    job = Job(
        id=f"ftb_{number:012}",
        name=None,
        target=target,
        status=Status.SUCCEEDED if model else Status.FAILED,
        raw_status="over",
        remote_id=f"ftjob-{number}",
        created_at=MADE,
        finished_at=MADE,
        spec=Spec(target=target, data=Path("file-1")),
        result=Result(model=model, files=("file-2",)) if model else None,
        cost=Cost(actual_usd=1.25, billed_tokens=100),
        error=None if model else "the vendor's own fault\0",
    )
    assert ledger.adopt(job, Event(at=MADE, kind="message", message="taken in"))
    assert not ledger.adopt(job, Event(at=MADE, kind="message", message="taken in"))
    return job


@pytest.mark.parametrize(
    "model", ["ft:gpt-4.1-mini:org:a_b%:1", "org/Name-x-1a2b", "base.ft-1", 'a "quoted" one', "größer\\", "\N{SNOWMAN}"]
)
def test_the_whole_name_counts_to_the_letter(ledger: Ledger, model: str) -> None:
    job = adopt(ledger, 1, "openai:gpt-4.1-mini", model)
    adopt(ledger, 2, "openai:gpt-4.1-mini", f"{model}2")
    adopt(ledger, 3, "mock+openai:gpt-4.1-mini", model)
    assert find_record(ledger, f"openai:{model}").record.job == job
    assert find_record(ledger, "openai:ftjob-1").record.job == job
    for other in (model[:-1], model.swapcase() if model != model.swapcase() else f"{model}3", f"{model}:"):
        with pytest.raises(JobNotFound):
            find_record(ledger, f"openai:{other}")


def test_what_was_over_is_written_down_whole(ledger: Ledger) -> None:
    job = adopt(ledger, 1, "openai:gpt-4.1-mini", None)
    [record] = ledger.jobs()
    assert record.job == job.model_copy(update={"error": "the vendor's own fault\N{REPLACEMENT CHARACTER}"})
