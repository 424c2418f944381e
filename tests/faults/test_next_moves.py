"""What a person types next, after each thing that can go wrong: the promise holds then, too."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from faults.people import LONG, STUBS, Person, Stubs, move_clock, pass_time
from faults.stubs.conduct import Listing, Mishap
from faults.verdicts import settle, verdict, wrong
from ftbridge.ledger import Ledger
from ftbridge.model import Status
from ftbridge.provider.answers import network_error
from ftbridge.provider.remote import RemoteJob
from ftbridge_providers.openai.adapter import OpenAIProvider


class ConnectError(Exception):
    """As httpx calls it."""


def test_a_key_whose_job_failed_at_the_vendor_gives_that_job_again(person: Person) -> None:
    first = person.submit("--idempotency-key", "k")
    person.vendor.become(person.vendor.made[0], "failed")
    person.type("jobs")
    again = person.submit("--idempotency-key", "k")
    assert (again.code, again.out) == (0, first.out)
    assert "is failed" in again.err


def test_cancel_last_means_one_job_from_its_beginning_to_its_end(person: Person) -> None:
    running = person.submit().out.strip()
    person.vendor.conduct.creates = [Mishap(False, cut=True)]
    person.vendor.conduct.listing = Listing(refused=500)
    person.submit("--again")
    person.vendor.conduct.listing = Listing()
    ran = person.type("cancel", "last")
    assert ran.code == 0
    assert running not in ran.out
    assert [job.state for job in person.vendor.made] != ["cancelled"]


def test_a_refused_job_that_may_be_there_is_told_by_recover(stubs: Stubs) -> None:
    person = stubs.person("openai", window=LONG)
    person.vendor.conduct.creates = [Mishap(True, status=404)]
    person.vendor.conduct.listing = Listing(lag_seconds=600)
    refused = person.submit()
    assert (refused.code, "ftbridge recover" in refused.err) == (3, True)
    looked = person.type("recover")
    assert (looked.code, "may have created it all the same" in looked.out) == (4, True)


def test_a_key_given_after_an_unclear_refusal_is_the_same_job(stubs: Stubs) -> None:
    person = stubs.person("openai", window=4.0, creates=[Mishap(True, status=404)], listing=Listing(lag_seconds=3.0))
    assert person.submit().code == 3
    assert person.submit("--idempotency-key", "k").code == 0
    person.type("recover")
    assert len(person.vendor.made) == 1
    assert [job.remote_id for job in person.jobs()] == [person.vendor.made[0].id]


def test_another_one_that_the_budget_refuses_leaves_the_first_as_it_was(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.vendor.conduct.creates = [Mishap(True, cut=True)]
    person.vendor.conduct.listing = Listing(lag_seconds=600)
    person.submit()
    Path("ftbridge.toml").write_text("[budgets]\nopenai = 0.000001\n", "utf-8")
    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "another-key")
        assert person.submit("--again").code == 2
    person.vendor.conduct.listing = Listing()
    pass_time()
    person.type("recover")
    assert [job.remote_id for job in person.jobs()] == [person.vendor.made[0].id]
    assert len(person.vendor.running) == 1


def test_an_answer_with_another_jobs_id_is_not_believed(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.submit()
    first = person.vendor.made[0].id
    true = OpenAIProvider.create

    def mistaken(self: OpenAIProvider, *asked: object, **named: object) -> RemoteJob:
        made: RemoteJob = true(self, *asked, **named)  # type: ignore[arg-type]  # passed on as they come
        return made.model_copy(update={"remote_id": first})

    monkeypatch.setattr(OpenAIProvider, "create", mistaken)
    person.submit("--again")
    assert sorted(str(job.remote_id) for job in person.jobs()) == sorted(job.id for job in person.vendor.made)


def test_what_was_never_sent_is_sent_with_another_key(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(self: OpenAIProvider, *_asked: object, **_named: object) -> RemoteJob:
        raise network_error("openai", ConnectError("no route"))

    with monkeypatch.context() as patch:
        patch.setattr(OpenAIProvider, "create", unreachable)
        assert person.submit().code == 4
    monkeypatch.setenv("OPENAI_API_KEY", "another-key")
    assert person.submit().code == 0
    assert len(person.vendor.made) == 1


def test_the_wrong_id_is_not_adopted_while_the_right_job_can_be_found(person: Person) -> None:
    person.vendor.fill(1)
    person.vendor.conduct.creates = [Mishap(True, cut=True)]
    person.vendor.conduct.listing = Listing(refused=500)
    person.submit()
    person.vendor.conduct.listing = Listing()
    [job] = person.jobs()
    ran = person.type("recover", job.id, "--adopt", person.vendor.jobs[0].id)
    assert (ran.code, person.vendor.made[0].id in ran.err) == (2, True)
    assert person.jobs()[0].status is Status.SUBMITTING


@pytest.mark.parametrize("vendor", STUBS)
def test_a_list_that_is_refused_is_told_by_recover_and_watch(stubs: Stubs, vendor: str) -> None:
    person = stubs.person(vendor, creates=[Mishap(cut=True)], listing=Listing(refused=403))
    person.submit()
    for command in ("recover", "watch"):
        ran = person.type(command)
        assert (ran.code, "403" in ran.err) == (3, True)


@pytest.mark.parametrize("vendor", STUBS)
def test_a_job_that_lost_its_tag_is_told_and_adopted_by_hand(stubs: Stubs, vendor: str) -> None:
    person = stubs.person(vendor, creates=[Mishap(cut=True)], listing=Listing(stripped="all"))
    person.submit()
    pass_time()
    ran = person.recover()
    [made], [job] = person.vendor.made, person.jobs()
    assert (ran.code, f"ftbridge recover {job.id} --adopt {made.id}" in ran.err) == (4, True)
    assert person.type("recover", job.id, "--adopt", made.id).code == 0
    assert [job.remote_id for job in person.jobs()] == [made.id]
    assert wrong([verdict(person, "every tag lost", "adopts by hand")]) == []


@pytest.mark.parametrize("vendor", STUBS)
def test_another_one_on_purpose_is_another_one(stubs: Stubs, vendor: str) -> None:
    person = stubs.person(vendor)
    first, same, second = person.submit(), person.submit(), person.submit("--again")
    assert first.out == same.out != second.out
    assert "--again" in same.err
    assert [job.remote_id for job in person.jobs()] == [made.id for made in person.vendor.made]
    assert len(person.vendor.made) == 2


@pytest.mark.parametrize("days", [3, -3])
def test_an_unclear_job_is_cancelled_whatever_the_clock_says(
    stubs: Stubs, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    person = stubs.person("openai", creates=[Mishap(cut=True)], listing=Listing(lag_seconds=3600))
    person.submit()
    move_clock(monkeypatch, timedelta(days=days))
    [job] = person.jobs()
    assert person.type("cancel", job.id).code == 0
    assert [job.status for job in person.jobs()] == [Status.CANCELLED]
    settle(person)
    assert person.vendor.running == []


def test_a_key_stands_for_its_job_also_when_that_was_cancelled(person: Person) -> None:
    first = person.submit("--idempotency-key", "k")
    person.type("cancel", first.out.strip())
    again = person.submit("--idempotency-key", "k")
    assert (again.code, again.out) == (0, first.out)
    assert [job.state for job in person.vendor.made] == ["cancelled"]


def test_an_unclear_job_that_is_given_up_is_cancelled_when_it_turns_up(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.vendor.conduct.creates = [Mishap(True, cut=True)]
    person.vendor.conduct.listing = Listing(lag_seconds=3600)
    person.submit("--idempotency-key", "k")
    [job] = person.jobs()
    with monkeypatch.context() as patch:
        patch.delenv(person.vendor.key_env)
        assert person.type("cancel", job.id).code != 0
        given_up = person.type("cancel", job.id, "--give-up")
    assert (given_up.code, "it is cancelled there as soon as it is listed" in given_up.err) == (0, True)
    person.vendor.conduct.listing = Listing()
    settle(person)
    assert [made.state for made in person.vendor.made] == ["cancelled"]


def test_a_running_job_that_is_given_up_keeps_its_key(person: Person) -> None:
    first = person.submit("--idempotency-key", "k")
    person.vendor.conduct.cancels = [Mishap(False, status=500, times=inf)]
    person.type("cancel", first.out.strip(), "--give-up")
    again = person.submit("--idempotency-key", "k")
    assert (again.code, again.out) == (0, first.out)
    assert len(person.vendor.made) == 1


def test_a_job_that_another_process_is_sending_is_not_given_up(person: Person) -> None:
    person.vendor.conduct.creates = [Mishap(True, cut=True)]
    person.vendor.conduct.listing = Listing(refused=500)
    person.submit()
    [job] = person.jobs()
    with closing(Ledger(person.home)) as ledger, ledger.lock(job.id):
        refused = person.type("cancel", job.id, "--give-up")
    assert (refused.code != 0, "another process is sending" in refused.err) == (True, True)
    assert [job.status for job in person.jobs()] == [Status.SUBMITTING]


def test_a_running_job_that_was_given_up_can_still_be_cancelled(person: Person) -> None:
    job = person.submit().out.strip()
    person.vendor.conduct.cancels = [Mishap(False, status=500, times=inf)]
    given_up = person.type("cancel", job, "--give-up")
    assert f"it goes on there until `ftbridge cancel {job}` reaches it" in given_up.err
    again = person.type("cancel", job, "--give-up")
    assert (again.code, f"`ftbridge cancel {job}`" in again.err) == (0, True)
    person.vendor.conduct.cancels = []
    assert person.type("cancel", job).code == 0
    assert [made.state for made in person.vendor.made] == ["cancelled"]
    assert [(one.status, one.raw_status) for one in person.jobs()] == [(Status.CANCELLED, "cancelled")]
    assert "is already over" in person.type("cancel", job).err


def test_a_job_that_succeeded_after_it_was_given_up_has_succeeded(person: Person) -> None:
    job = person.submit().out.strip()
    person.vendor.conduct.cancels = [Mishap(False, status=500, times=inf)]
    person.type("cancel", job, "--give-up")
    person.vendor.become(person.vendor.made[0], "succeeded")
    assert "is already over: it succeeded" in person.type("cancel", job).err
    assert [one.status for one in person.jobs()] == [Status.SUCCEEDED]


@pytest.mark.parametrize("vendor", STUBS)
def test_a_cancelled_job_that_lost_its_tag_is_cancelled_by_adopting_it(stubs: Stubs, vendor: str) -> None:
    person = stubs.person(vendor, creates=[Mishap(cut=True)], listing=Listing(stripped="all"))
    person.submit()
    person.cancel()
    pass_time()
    [made], [job] = person.vendor.made, person.jobs()
    way = f"`ftbridge recover {job.id} --adopt {made.id}` cancels it there. If not: `ftbridge submit --again`"
    looked = person.recover()
    assert (looked.code, way in looked.err) == (4, True)
    assert person.type("recover", job.id, "--adopt", made.id).code == 0
    assert [made.state for made in person.vendor.made] == ["cancelled"]


@pytest.mark.parametrize("is_there", [True, False])
def test_no_copy_of_the_data_stays_of_a_job_that_was_given_up(person: Person, is_there: bool) -> None:
    person.vendor.conduct.creates = [] if is_there else [Mishap(False, cut=True)]
    person.vendor.conduct.cancels = [Mishap(False, status=500, times=inf)]
    person.vendor.conduct.listing = Listing() if is_there else Listing(refused=500)
    person.submit()
    [job] = person.jobs()
    person.type("cancel", job.id, "--give-up")
    person.vendor.conduct.listing = Listing()
    pass_time()
    person.recover()
    assert list(person.home.glob("prepared/*")) == []


def test_no_copy_of_the_data_stays_of_a_job_that_is_proved_to_have_failed(person: Person) -> None:
    person.vendor.conduct.creates = [Mishap(False, status=409)]
    person.submit()
    pass_time()
    person.recover()
    assert [job.status for job in person.jobs()] == [Status.FAILED]
    assert list(person.home.glob("prepared/*")) == []


def test_what_ends_a_reservation_is_said_as_it_is(person: Person) -> None:
    Path("ftbridge.toml").write_text("[budgets]\nopenai = 0.006\n", "utf-8")
    job = person.submit().out.strip()
    person.type("cancel", job)
    refused = person.submit()
    assert (refused.code, "is reserved for 1 job" in refused.err) == (2, True)  # OpenAI may bill what it has trained
    assert "ends when its job is billed, or proves never to have reached openai" in refused.err
