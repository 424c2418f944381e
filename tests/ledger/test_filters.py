"""Jobs are chosen by the database, alike in SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ftbridge.ledger import Intent, JobFilter, Ledger, Prepared, filtered
from ftbridge.model import Spec, Status

MADE = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
JOBS = (
    ("ftb_1", "openai:gpt-4.1-mini", "support-v1", "team"),
    ("ftb_2", "mock+openai:gpt-4.1-mini", "support-v2", None),
    ("ftb_3", "local:tiny", "Support (v1.0)", "team"),
    ("ftb_4", "local:tiny", None, None),
)


@pytest.fixture
def jobs(ledger: Ledger) -> Ledger:
    """Four jobs, an hour between two of them, the second of which has succeeded."""
    for number, (job_id, target, name, group) in enumerate(JOBS):
        spec, files = Spec(target=target, data=Path("rows.jsonl"), name=name), Prepared(training="k1")
        made = MADE + timedelta(hours=number)
        ledger.add(
            Intent(
                id=job_id, target=target, spec=spec, prepared=files, request_hash=job_id, group=group, created_at=made
            )
        )
    ledger.change(ledger.job("ftb_2"), status=Status.SUCCEEDED)
    return ledger


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (JobFilter(), "1234"),
        (JobFilter(statuses=(Status.SUCCEEDED,)), "2"),
        (JobFilter(statuses=(Status.SUCCEEDED, Status.SUBMITTING), limit=2), "34"),
        (JobFilter(provider="openai"), "1"),
        (JobFilter(provider="mock+openai"), "2"),
        (JobFilter(group="team"), "13"),
        (JobFilter(since=MADE + timedelta(hours=2)), "34"),
        (JobFilter(since=datetime(2026, 11, 22, 13, tzinfo=timezone(timedelta(hours=2)))), "34"),
        (JobFilter(name="support-v1"), "1"),
        (JobFilter(name="support*"), "12"),
        (JobFilter(name="?upport*"), "123"),
        (JobFilter(name="*(v1.0)"), "3"),
        (JobFilter(name="support"), ""),
        (JobFilter(name="*", group="team", limit=1), "3"),
    ],
    ids=str,
)
def test_the_wanted_jobs_are_listed_oldest_first(jobs: Ledger, wanted: JobFilter, numbers: str) -> None:
    assert [record.job.id for record in filtered(jobs, wanted)] == [f"ftb_{number}" for number in numbers]
