"""`jobs` with conditions, and names in place of IDs in every command."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.errors import UsageError
from ftbridge.jobs.request.identity import make_intent
from ftbridge.ledger import Prepared
from ftbridge.model import Cost, Event, Spec, Status, now

ROWS = (
    ("local:tiny", "support-v1", Status.SUCCEEDED, 40, "team"),
    ("local:tiny", "support-v2", Status.FAILED, 8, None),
    ("mock+openai:gpt-4.1-mini", "billing", Status.CANCELLED, 2, "team"),
    ("local:tiny", "support-v2", Status.SUCCEEDED, 0, None),
)


@pytest.fixture
def jobs(home: Path) -> Iterator[list[str]]:
    """Their IDs, from the oldest to the newest."""
    with Bridge(home) as bridge:
        ids = []
        for number, (target, name, status, days, group) in enumerate(ROWS):
            spec, files = Spec(target=target, data=Path("rows.jsonl"), name=name), Prepared(training=f"k{number}")
            record = bridge.ledger.add(make_intent(spec, files, None, Cost(), group=group))
            made = now() - timedelta(days=days, minutes=1)
            bridge.ledger.change(record, status=status, created_at=made, remote_id=f"remote-{number}")
            ids.append(record.job.id)
        yield ids


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ("", "0123"),
        ("--status succeeded", "03"),
        ("--status failed --status cancelled", "12"),
        ("--provider local", "013"),
        ("--provider mock+openai", "2"),
        ("--since 7d", "23"),
        ("--since 2w --name support-*", "13"),
        ("--name support-v1", "0"),
        ("--group team", "02"),
        ("--limit 2", "23"),
        ("--limit 1 --status succeeded --name *v2", "3"),
        ("--status running", ""),
    ],
)
def test_jobs_are_chosen_by_conditions(here: Cli, jobs: list[str], options: str, numbers: str) -> None:
    listed = here("jobs", *options.split(), "--json").json["jobs"]
    assert [job["id"] for job in listed] == [jobs[int(number)] for number in numbers]
    out = here("jobs", *options.split()).out
    assert all((job_id in out) is (str(number) in numbers) for number, job_id in enumerate(jobs))
    assert numbers or "No job meets these conditions." in out


@pytest.mark.parametrize(
    ("options", "sentence", "hint"),
    [
        (
            "--status suceeded",
            "'suceeded' is not a status",
            "Did you mean 'succeeded'? A status is one of ",
        ),
        ("--provider opnai", "no provider is called 'opnai'", "Did you mean 'openai'? Known providers: azure, "),
        ("--since yesterday", "'yesterday' is not a time", "Write it as a date, 2026-11-01, or as how long ago"),
        ("--since 99999d", "'99999d' is not a time", "Write it as a date"),
        ("--limit 0", "a limit of 0 jobs would list none", "Give a number from 1."),
    ],
)
def test_a_condition_that_cannot_be_met_is_a_sentence(
    here: Cli, jobs: list[str], options: str, sentence: str, hint: str
) -> None:
    ran = here("jobs", *options.split(), "--json")
    assert ran.code == 2
    assert ran.json["error"]["message"] == sentence
    assert ran.json["error"]["hint"].startswith(hint)


def test_in_python_the_conditions_are_values(bridge: Bridge, jobs: list[str]) -> None:
    def ids(**conditions: object) -> list[str]:
        return [job.id for job in bridge.jobs(**conditions)]  # type: ignore[arg-type]  # of many kinds

    day = now().astimezone().date() - timedelta(days=3)
    for since in (day, datetime(day.year, day.month, day.day), timedelta(days=3), f"{day}", "3d"):
        assert ids(since=since) == jobs[2:]
    assert ids(status=Status.SUCCEEDED) == ids(status=["succeeded"]) == [jobs[0], jobs[3]]
    assert ids(since=date(2000, 1, 1), name="support*", limit=2, provider="local") == [jobs[1], jobs[3]]
    with pytest.raises(UsageError, match="conditions choose among all jobs"):
        bridge.jobs(jobs, limit=1)


@pytest.mark.parametrize("command", ["show", "events", "cancel", "recover", "watch"])
def test_a_name_stands_for_the_newest_job_of_that_name(here: Cli, jobs: list[str], command: str) -> None:
    for reference, number in (("support-v2", 3), ("billing", 2), ("last", 3), ("local:last", 3)):
        ran = here(command, reference)
        assert jobs[number] in ran.out + ran.err or command == "events"
        assert ("2 jobs are named 'support-v2'; this is the newest" in ran.err) is (reference == "support-v2")


def test_commands_for_results_take_names_too(here: Cli, jobs: list[str], data: Path) -> None:
    for words in (
        ("chat", "billing", "hello"),
        ("evaluate", "billing", data),
        ("fetch", "billing"),
        ("evaluate", "support-v1", data, "--against", "billing"),
    ):
        ran = here(*words)
        assert f"job {jobs[2]} is cancelled" in ran.err or "support-v1" in words
        assert "there is no job" not in ran.err


def test_a_name_with_a_slip_is_told_with_those_like_it(here: Cli, jobs: list[str]) -> None:
    ran = here("pause", "suport-v1", "--json")
    assert ran.code == 2
    assert ran.json["error"]["message"] == "there is no job 'suport-v1'"
    assert ran.json["error"]["hint"].startswith("Did you mean 'support-v1' or 'support-v2'?")


def test_events_have_their_dates_where_they_are_not_all_of_today(here: Cli, home: Path, jobs: list[str]) -> None:
    today = now().astimezone().replace(hour=0, minute=0, second=1)
    before = today - timedelta(days=2)
    with Bridge(home) as bridge:
        for number, moments in ((0, (today,)), (1, (before, today))):
            happened = [Event(at=at, kind="message", message="hello") for at in moments]
            bridge.ledger.change(bridge.ledger.job(jobs[number]), happened)
    assert here("events", jobs[0]).out == f"00:00:01  {jobs[0]}  hello\n"
    assert here("events", jobs[1]).out.splitlines() == [
        f"{at:%Y-%m-%d} 00:00:01  {jobs[1]}  hello" for at in (before, today)
    ]
