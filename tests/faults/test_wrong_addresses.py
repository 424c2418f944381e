"""A wrong base URL or key, a lost answer, and what a person types next: no job twice, and no job unsaid."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from faults.people import LONG, Person, Stubs
from faults.stubs.conduct import Listing, Mishap
from ftbridge.model import Status

NOBODY = "http://someone:secret@127.0.0.1:9/v1"


@pytest.fixture
def wrong_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Undo it to set the right URL again."""
    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", NOBODY)
        yield patch


def remote_ids(person: Person) -> list[str | None]:
    return [job.remote_id for job in person.jobs()]


@pytest.mark.parametrize("before", [0, 1])
def test_again_goes_on_with_an_attempt_that_was_never_sent(
    person: Person, wrong_url: pytest.MonkeyPatch, before: int
) -> None:
    with wrong_url.context() as right:
        right.setenv("OPENAI_BASE_URL", person.url)
        for _number in range(before):
            person.submit()
    failed = person.submit("--again")
    assert failed.code == 4
    wrong_url.undo()
    same = person.submit("--again")
    assert (same.code, len(person.vendor.made)) == (0, before + 1)
    assert f"this goes on with job {same.out.strip()}" in same.err
    assert remote_ids(person) == [made.id for made in person.vendor.made]
    another = person.submit("--again")
    assert (another.code, len(person.vendor.made)) == (0, before + 2)


@pytest.mark.parametrize("before", [0, 1])
def test_again_goes_on_with_an_attempt_whose_answer_was_lost(person: Person, before: int) -> None:
    for _number in range(before):
        person.submit()
    person.vendor.conduct.creates = [Mishap(True, cut=True)]
    person.vendor.conduct.listing = Listing(refused=500)
    assert person.submit("--again").code == 4
    assert person.submit("--again").code == 3
    person.vendor.conduct.listing = Listing()
    found = person.submit("--again")
    assert (found.code, len(person.vendor.running)) == (0, before + 1)
    assert remote_ids(person) == [made.id for made in person.vendor.made]
    assert all(job.status is not Status.CANCELLED for job in person.jobs())


def test_again_waits_for_an_attempt_that_was_refused_and_may_be_there(stubs: Stubs) -> None:
    person = stubs.person("openai", window=4.0, creates=[Mishap(True, status=404)], listing=Listing(lag_seconds=3.0))
    assert person.submit().code == 3
    assert person.submit("--again").code == 0
    assert remote_ids(person) == [person.vendor.made[0].id]
    assert len(person.vendor.made) == 1


def test_after_an_unclear_job_was_cancelled_again_creates_another_one(stubs: Stubs) -> None:
    person = stubs.person("openai", window=LONG, creates=[Mishap(False, cut=True)])
    person.submit()
    [unclear] = person.jobs()
    assert person.type("cancel", unclear.id).code == 0
    ran = person.recover()
    assert (ran.code, "`ftbridge submit --again` creates another job" in ran.out) == (4, True)
    waits = person.submit("--again")
    assert (waits.code, len(person.vendor.made)) == (0, 1)
    assert f"job {unclear.id} was cancelled here, and openai may have created it all the same" in waits.err


def test_a_job_that_was_refused_and_may_be_there_can_be_given_up(stubs: Stubs) -> None:
    person = stubs.person("openai", window=LONG, creates=[Mishap(True, status=404)], listing=Listing(lag_seconds=600))
    person.submit()
    [refused] = person.jobs()
    assert person.type("cancel", refused.id).code == 0
    assert [job.status for job in person.jobs()] == [Status.CANCELLED]


def test_the_error_says_which_job_stays_who_sends_it_and_what_drops_it(
    person: Person, wrong_url: pytest.MonkeyPatch
) -> None:
    failed = person.submit()
    [job] = person.jobs()
    reported = " ".join(failed.err.split())
    assert f"Job {job.id} stays here and is sent by the next" in reported
    assert f"`ftbridge cancel {job.id}` drops it" in reported
    assert "127.0.0.1:9/v1/" in reported
    assert "secret" not in failed.err
    wrong_url.undo()
    assert person.type("cancel", job.id).code == 0
    person.submit("--again")
    assert len(person.vendor.made) == 1


@pytest.mark.parametrize("command", ["submit", "watch", "recover"])
def test_an_older_job_that_is_sent_is_named(person: Person, wrong_url: pytest.MonkeyPatch, command: str) -> None:
    person.submit()
    [older] = person.jobs()
    wrong_url.undo()
    sent = f"job {older.id}, which was waiting here, was sent to openai"
    if command == "watch":
        with wrong_url.context() as patch:
            patch.setattr("faults.people._WATCHED", 10.0)
            assert older.id not in person.watch().err  # it is what is watched
    else:
        ran = person.submit("--seed", "3") if command == "submit" else person.recover()
        assert sent in " ".join(ran.err.split())
    assert remote_ids(person)[0]


@pytest.mark.parametrize("setting", [("OPENAI_API_KEY", "another-key"), ("OPENAI_BASE_URL", NOBODY)])
def test_an_unclear_job_at_another_account_names_the_ways_out(
    stubs: Stubs, monkeypatch: pytest.MonkeyPatch, setting: tuple[str, str]
) -> None:
    person = stubs.person("openai", creates=[Mishap(True, cut=True)], listing=Listing(refused=500))
    person.submit()
    [job] = person.jobs()
    person.vendor.conduct.listing = Listing()
    with monkeypatch.context() as patch:
        patch.setenv(*setting)
        patch.setattr(person.vendor, "jobs", []) if setting[0] == "OPENAI_API_KEY" else None
        commands = [person.recover, person.submit] if setting[0] == "OPENAI_API_KEY" else [person.recover]
        for command in commands:
            ran = command()
            reported = " ".join((ran.out + ran.err).split())
            assert ran.code == 4
            assert "another API key or base URL" in reported
            assert "until" not in reported
        if setting[0] == "OPENAI_API_KEY":
            for way in (f"recover {job.id} --adopt ID", f"cancel {job.id}", "submit --again"):
                assert way in reported
            assert person.jobs()[0].unclear_until is None
    assert person.recover().code == 0
    assert remote_ids(person) == [person.vendor.made[0].id]


def test_one_job_alone_is_recovered(person: Person, wrong_url: pytest.MonkeyPatch) -> None:
    person.submit()
    person.submit("--seed", "3")
    first, second = person.jobs()
    wrong_url.undo()
    ran = person.type("recover", second.id)
    assert ran.code == 0
    assert [bool(remote_id) for remote_id in remote_ids(person)] == [False, True]
    assert first.id not in ran.out


def test_last_is_a_job_that_was_cancelled_too(person: Person, wrong_url: pytest.MonkeyPatch) -> None:
    person.submit()
    [job] = person.jobs()
    person.type("cancel", "last")
    shown = person.type("show", "last")
    assert (shown.code, job.id in shown.out) == (0, True)


def test_a_key_beside_the_same_request_without_one_is_warned_of(person: Person) -> None:
    first = person.submit().out.strip()
    keyed = person.submit("--idempotency-key", "k")
    assert f"job {first} is the same request without a key" in keyed.err
    assert len(person.vendor.made) == 2
    assert "same request" not in person.submit("--idempotency-key", "k").err.replace("is the same request and", "")


def test_a_refused_connection_fails_after_a_few_seconds(
    person: Person, wrong_url: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftbridge.provider.retry.FIRST_WAIT", 0.5)
    began = time.monotonic()
    assert person.submit().code == 4
    assert time.monotonic() - began < 15
