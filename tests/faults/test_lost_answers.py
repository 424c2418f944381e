"""Whatever the answer to a create was, and whatever people do then: one job is paid for, and it is known.

The vendors are the stubs, which share no guess with the project's own mocks. With FTBRIDGE_EVERY_CASE=1 every
status is tried at each vendor, and every listing with everything that people do; else some statuses, and each of them
and each listing at one vendor at least. `pytest -n 0 -s` prints a line for each case.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import cycle, islice, product
from typing import TypeVar, get_args

import pytest

from every_case import EVERY_CASE
from faults.people import LONG, SHORT, STUBS, THEN, Person, Stubs, pass_time
from faults.stubs.conduct import Body, Listing, Mishap
from faults.stubs.kept import StubJob
from faults.stubs.wire import Call
from faults.verdicts import Row, settle, verdict, wrong

SOME = (300, 301, 303, 307, 400, 401, 402, 403, 404, 408, 409, 410, 413, 418, 422, 425, 429, 451, 499)
STATUSES = range(300, 600) if EVERY_CASE else (*SOME, 500, 501, 502, 503, 504, 529, 599)
NOT_THERE = "200 with a job that is not there"
FAULTS = {
    "500, made": Mishap(status=500),
    "400, made": Mishap(status=400),
    "403, made": Mishap(status=403),
    "429 for a second, made": Mishap(status=429, retry_after="1"),
    "202 with odd JSON, made": Mishap(status=202, body="odd"),
    "200 with HTML, made": Mishap(body="html"),
    "200 with half of the JSON, made": Mishap(body="truncated"),
    "200 that breaks off, made": Mishap(body="aborted"),
    "204, made": Mishap(status=204, body="empty"),
    "200 with {}, made": Mishap(body="empty object"),
    "200 with null, made": Mishap(body="null"),
    "200 with [], made": Mishap(body="empty list"),
    "cut, made": Mishap(cut=True),
    "two cuts, both made": Mishap(cut=True, times=2),
    "cut, not made": Mishap(False, cut=True),
    "503, not made": Mishap(False, status=503),
    "503 three times, not made": Mishap(False, status=503, times=3),
    "422, not made": Mishap(False, status=422),
    NOT_THERE: Mishap(False),
}
PAGED = ("openai", "mistral")
LISTINGS = {
    "lags": Listing(lag_seconds=3600),
    "shows it at the third call": Listing(lag_calls=2),
    "shifts between pages": Listing(shifted=True, filter_ignored=True),
    "has each row twice": Listing(twice=True),
    "begins with an empty page": Listing(empty_first=True),
    "has null for data": Listing(null_data=True),
    "has a total beyond its end": Listing(endless_total=True),
    "ignores the cursor": Listing(cursor_ignored=True),
    "has two pages in turn": Listing(alternating=True),
    "ignores the filter": Listing(filter_ignored=True),
    "has lost the metadata": Listing(stripped="metadata"),
    "has lost the metadata and ignores the filter": Listing(stripped="metadata", filter_ignored=True),
    "has lost every tag": Listing(stripped="all", filter_ignored=True),
    **{f"is refused by {status}": Listing(refused=status) for status in (400, 401, 403, 404, 429, 500)},
    "is refused by 429 for long": Listing(refused=429, retry_after="120"),
    "is refused by 500 twice": Listing(refused=500, calls=2),
}
PAGES_ONLY = ("shifts", "begins", "has a total", "ignores", "has two pages", "has lost the metadata")
Case = TypeVar("Case")
vendors = pytest.mark.parametrize("vendor", STUBS)
pytestmark = pytest.mark.timeout(3600 if EVERY_CASE else 300)


def turns_of(vendor: str, *, with_key: bool = False) -> Iterator[str]:
    """What people do, in turn; at each vendor another one begins, so that all of it meets every fault somewhere."""
    return islice(cycle(THEN), [*STUBS].index(vendor) + 3 * with_key, None)


def share_of(vendor: str, cases: Iterable[Case], turn: int = 0) -> list[Case]:
    """Every fourth case: at vendors that follow each other, and in another `turn`, those that follow."""
    return list(cases) if EVERY_CASE else list(islice(cases, ([*STUBS].index(vendor) + turn) % 4, None, 4))


def outcome(person: Person, fault: str, then: str) -> Row:
    """The verdict once the vendor behaves again.

    Who cancelled does not have to have a job in the end, and who was told an id does not buy another job.
    """
    gave_up = then == "cancels"
    settle(person, submits=not gave_up)
    return verdict(person, fault, then, may_miss=gave_up or NOT_THERE in fault)


@vendors
def test_any_status_and_the_same_command_again_is_one_job(stubs: Stubs, vendor: str) -> None:
    rows = []
    for status in share_of(vendor, STATUSES):
        for done in (True, False):
            person = stubs.person(vendor, creates=[Mishap(done, status=status)])
            person.submit()
            person.submit()
            person.recover()
            rows.append(outcome(person, f"{status}, {'made' if done else 'not made'}", "submits again, recovers"))
    assert wrong(rows) == []


@vendors
def test_any_status_of_a_job_that_the_list_does_not_show_yet_is_one_job(stubs: Stubs, vendor: str) -> None:
    rows = []
    for status in (303, 403, 404, 409, 425, 429, 500, 503):
        hidden = Listing(lag_seconds=0.8 * SHORT)
        person = stubs.person(vendor, creates=[Mishap(status=status)], listing=hidden)
        person.submit()
        person.submit()
        person.recover()
        rows.append(outcome(person, f"{status}, made, and the list lags", "submits again, recovers"))
    assert wrong(rows) == []


@vendors
@pytest.mark.parametrize("done", [True, False], ids=["made", "not made"])
def test_any_success_with_any_body_is_one_job(stubs: Stubs, vendor: str, done: bool) -> None:
    rows = []
    bodies = [body for body in get_args(Body) if body != "plausible"]
    for status, body in share_of(vendor, product((200, 201, 202), bodies), turn=done):
        person = stubs.person(vendor, creates=[Mishap(done, status=status, body=body)])
        person.submit()
        person.submit()
        rows.append(outcome(person, f"{status} with {body}, {'made' if done else 'not made'}", "submits again"))
    assert wrong(rows) == []


@vendors
@pytest.mark.parametrize("key", [(), ("--idempotency-key", "one")], ids=["without a key", "with a key"])
def test_any_answer_and_anything_that_people_do_is_one_job(stubs: Stubs, vendor: str, key: tuple[str, ...]) -> None:
    rows = []
    turns = turns_of(vendor, with_key=bool(key))
    for fault, mishap in FAULTS.items():
        for then in THEN if EVERY_CASE else [next(turns)]:
            person = stubs.person(vendor, creates=[replace(mishap)])
            person.more = key
            person.submit()
            THEN[then](person)
            pass_time()
            THEN[then](person)
            rows.append(outcome(person, f"{fault}{', key' * bool(key)}", then))
    assert wrong(rows) == []


@vendors
def test_the_same_command_after_any_answer_names_the_job_that_was_made(stubs: Stubs, vendor: str) -> None:
    rows = []
    for fault, mishap in FAULTS.items():
        if not mishap.done or mishap.times > 1:
            continue
        person = stubs.person(vendor, creates=[replace(mishap)])
        person.submit()
        last = person.submit()
        rows.append(verdict(person, fault, "reads the reply", last=last))
    assert wrong(rows) == []


@vendors
@pytest.mark.parametrize("done", [True, False], ids=["made", "not made"])
def test_whatever_list_the_job_is_looked_for_in_it_is_one_job(stubs: Stubs, vendor: str, done: bool) -> None:
    rows = []
    turns = turns_of(vendor)
    possible = [name for name in LISTINGS if vendor in PAGED or not name.startswith(PAGES_ONLY)]
    for name in share_of(vendor, possible, turn=done):
        listing = LISTINGS[name]
        for then in THEN if EVERY_CASE else [next(turns)]:
            window = {"window": LONG} if listing.lag_seconds or listing.lag_calls else {}
            person = stubs.person(vendor, creates=[Mishap(done, cut=True)], listing=replace(listing), **window)
            person.submit()
            for _time in range(2):
                pass_time()
                THEN[then](person)
            if not done:
                stubs.wait_for_listings(vendor, 0.0)
            rows.append(outcome(person, f"cut, {'' if done else 'not '}made; the list {name}", then))
    assert wrong(rows) == []


@vendors
def test_a_create_that_comes_to_life_when_nobody_waits_any_more_is_one_job(stubs: Stubs, vendor: str) -> None:
    rows = []
    for then in THEN if EVERY_CASE else ("submits again", "recovers twice at once"):
        hidden = Listing(lag_seconds=3600)
        person = stubs.person(vendor, window=LONG, creates=[Mishap(seconds=LONG, cut=True)], listing=hidden)
        stubs.give_up_after(1.0)
        person.submit()
        THEN[then](person)
        stubs.give_up_after(60.0)
        person.vendor.hurry.set()
        until = time.monotonic() + 20
        while not person.vendor.made:
            assert time.monotonic() < until
            time.sleep(0.01)
        THEN[then](person)
        rows.append(outcome(person, "made after the client has gone, and hidden", then))
    assert wrong(rows) == []


@vendors
def test_a_colleagues_job_of_the_same_model_file_and_moment_is_not_ours(stubs: Stubs, vendor: str) -> None:
    rows = []
    for then in THEN if EVERY_CASE else ("submits again", "recovers"):
        person = stubs.person(vendor, creates=[Mishap(False, cut=True)])
        twins = _twin_beside(person)
        person.submit()
        for _time in range(3):
            pass_time()
            THEN[then](person)
        adopted = {job.remote_id for job in person.jobs()} & {twin.id for twin in twins}
        touched = [twin.id for twin in twins if twin.state == "cancelled"]
        wrongs = "a colleague's job was taken for ours" if adopted else "it was cancelled" if touched else ""
        rows.append(verdict(person, "cut, not made; a twin without tag", then, may_miss=True, broken=wrongs))
    assert wrong(rows) == []


def _twin_beside(person: Person) -> list[StubJob]:
    """A colleague asks for the same just when we do, in another tool."""
    vendor = person.vendor
    twins: list[StubJob] = []

    def ask(call: Call) -> None:
        if call.method == "POST" and call.path.endswith(("/fine_tuning/jobs", "/fine-tunes")) and not twins:
            request = {name: value for name, value in call.body.items() if name not in ("metadata", "suffix")}
            twins.append(StubJob(vendor.job_id(), request, vendor.now(), True))
            vendor.jobs.append(twins[0])

    vendor.at_call = ask
    return twins


@pytest.mark.parametrize("done", [True, False], ids=["started", "not started"])
def test_any_answer_to_mistrals_second_step_is_one_job_that_runs(stubs: Stubs, done: bool) -> None:
    rows = []
    turns = cycle(name for name in THEN if name != "cancels")
    for mishap in [*(Mishap(done, status=status) for status in STATUSES), Mishap(done, cut=True), Mishap(done)]:
        then = next(turns)
        person = stubs.person("mistral", starts=[mishap])
        person.submit()
        THEN[then](person)
        settle(person)
        person.recover()
        idle = [job.id for job in person.vendor.running if not job.started]
        case = f"start {'cut' if mishap.cut else mishap.status}, {'done' if done else 'not done'}"
        rows.append(verdict(person, case, then, broken="it was never started" if idle else ""))
    assert wrong(rows) == []
