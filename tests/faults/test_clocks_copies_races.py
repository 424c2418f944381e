"""Clocks that jump, homes from a backup, budgets that are raced for, cancels that go wrong, lists without an end.

As in `test_lost_answers`, at the stub vendors, with a line for each case under `pytest -n 0 -s`.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from every_case import EVERY_CASE
from faults.controlled_process import JobSpec
from faults.people import LONG, SHORT, STUBS, TARGETS, Person, Stubs, move_clock, pass_time, recovered
from faults.processes import Processes
from faults.stubs.conduct import Endless, Listing, Mishap
from faults.stubs.together_stub import TogetherStub
from faults.stubs.wire import Call
from faults.verdicts import Row, settle, verdict, wrong
from ftbridge import Bridge
from small_data import write_rows

STATUSES = [*range(200, 600)] if EVERY_CASE else [200, 204, 301, 400, 404, 409, 429, 500]
MINUTES, DAYS = timedelta(minutes=2), timedelta(days=3)
JUMPS = {
    "two minutes ahead": [MINUTES],
    "three days ahead": [DAYS],
    "three days ahead and back": [DAYS, timedelta()],
    "three days back": [-DAYS],
    "three days back, two minutes ahead": [-DAYS, MINUTES],
}
vendors = pytest.mark.parametrize("vendor", STUBS)
pytestmark = pytest.mark.timeout(3600 if EVERY_CASE else 300)


@vendors
@pytest.mark.parametrize("done", [True, False], ids=["made", "not made"])
def test_clocks_that_jump_buy_nothing(stubs: Stubs, vendor: str, done: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    for name, jumps in JUMPS.items():
        hidden = Listing(lag_seconds=3600)
        person = stubs.person(vendor, window=LONG, creates=[Mishap(done, status=500)], listing=hidden)
        person.submit()
        for jump in jumps:
            move_clock(monkeypatch, jump)
            person.recover()
            person.submit()
        move_clock(monkeypatch, timedelta())
        if not done:
            stubs.wait_for_listings(vendor, 0.0)
        settle(person)
        rows.append(verdict(person, f"500, {'' if done else 'not '}made, hidden", f"clock {name}"))
    assert wrong(rows) == []


@vendors
@pytest.mark.parametrize("done", [True, False], ids=["made", "not made"])
def test_a_home_from_a_backup_buys_nothing_twice(stubs: Stubs, vendor: str, done: bool) -> None:
    rows = []
    for when in ("intent", "before", "after"):
        for then in ("recovers", "submits again", "two copies at once"):
            if not done and when != "intent":
                continue  # nothing is made then, and so there is no moment before and after
            person = stubs.person(vendor, creates=[Mishap(done, cut=not done)])
            backups = _back_up(person)
            person.submit()
            rows.append(_restored(stubs, person, backups[when], f"{'' if done else 'not '}made; {when}", then))
    assert wrong(rows) == []


def _back_up(person: Person) -> dict[str, Path]:
    """Copies of the home: when the first file is sent, and before and after the job is made."""
    backups: dict[str, Path] = {}

    def copy(when: str) -> None:
        if when not in backups:
            backups[when] = person.home.with_name(f"{person.home.name}-{when}")
            shutil.copytree(person.home, backups[when])

    def sent(call: Call) -> None:
        if call.method == "POST" and call.path.endswith("/files"):
            copy("intent")

    person.vendor.at_call, person.vendor.at_create = sent, copy
    return backups


def _restored(stubs: Stubs, person: Person, backup: Path, case: str, then: str) -> Row:
    """The home is lost, and the backup is put in its place; or two machines have one each."""
    others = [backup.with_name(f"{backup.name}-{number}") for number in range(2)]
    for other in others:
        shutil.copytree(backup, other)
    person.home = others[0]
    stubs.patch.setenv("FTBRIDGE_HOME", str(person.home))
    for _time in range(2):
        pass_time()
        if then == "two copies at once":
            with ThreadPoolExecutor(2) as pool:
                for ran in pool.map(recovered, others):
                    person.hear(ran)
        elif then == "recovers":
            person.recover()
        else:
            person.submit()
    settle(person)
    return verdict(person, f"a backup, {case}", then)


@vendors
def test_two_copies_of_a_home_recover_at_once_though_the_list_lags(stubs: Stubs, vendor: str, tmp_path: Path) -> None:
    person = stubs.person(vendor, creates=[Mishap(False, cut=True)], listing=Listing(lag_seconds=0.8 * SHORT))
    person.submit()
    pass_time()
    copies = [tmp_path / "one", tmp_path / "two"]
    for copy in copies:
        shutil.copytree(person.home, copy)
    for _time in range(4):
        with ThreadPoolExecutor(2) as pool:
            for ran in pool.map(recovered, copies):
                person.hear(ran)
        pass_time()
    assert len(person.vendor.made) == 1
    for copy in copies:
        with Bridge(copy) as bridge:
            assert [job.remote_id for job in bridge.jobs()] == [person.vendor.made[0].id]


@vendors
def test_eight_processes_that_race_for_a_budget_of_one_and_a_half_jobs_send_one(
    stubs: Stubs, vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TogetherStub, "price_usd", 5.0)
    price_and_budget(vendor, 7.5)
    person = stubs.person(vendor)
    environment = {name: os.environ[name] for name in (person.vendor.key_env, person.vendor.url_env)}
    orders = [
        JobSpec("submit", person.home, environment, 0.0, _rows(tmp_path, number), TARGETS[vendor], key=f"key {number}")
        for number in range(8)
    ]
    processes = Processes([JobSpec("recover", person.home, environment)])
    started = [processes.start() for _order in orders]
    try:
        for process, order in zip(started, orders, strict=True):
            process.give(order)
        ends = [process.end() for process in started]
    finally:
        processes.dismiss()
    rows = [verdict(person, "eight race for room for 1.5", "reads the ends")]
    assert wrong(rows) == []
    assert sum("OverBudget" in end for end in ends) == 7, ends


def test_a_vendor_that_asks_more_than_what_is_left_of_the_budget_makes_no_job(stubs: Stubs) -> None:
    price_and_budget("together", 2.0)
    person = stubs.person("together")
    ran = person.submit()
    assert (ran.code, person.vendor.made) == (2, [])


def price_and_budget(vendor: str, budget: float | None = None) -> None:
    """A job costs at most about five dollars by the catalogue: a thousand bytes of JSON."""
    lines = [
        "[[catalogue.row]]",
        f'provider = "{vendor}"',
        f'models = ["{TARGETS[vendor].partition(":")[2]}"]',
        "sft_usd_per_million_tokens = 5000.0",
        'source = "a test"',
        "as_of = 2026-11-01",
        'confidence = "official"',
        *(["[budgets]", f"{vendor} = {budget}"] if budget is not None else []),
    ]
    Path("ftbridge.toml").write_text("\n".join(lines), "utf-8")


def _rows(folder: Path, number: int) -> Path:
    """As many tokens as in the others, and no text that is the same."""
    return write_rows(
        folder / f"rows-{number}.jsonl",
        [
            {"messages": [{"role": "user", "content": f"q{number}{n}"}, {"role": "assistant", "content": f"a{n}"}]}
            for n in range(12)
        ],
    )


@vendors
def test_a_cancel_does_what_it_says_whatever_is_answered(stubs: Stubs, vendor: str) -> None:
    rows = []
    for done in (True, False):
        cases = [Mishap(done, status=status, times=1 if done else 99) for status in STATUSES]
        for mishap in [*cases, Mishap(done, cut=True, times=1 if done else 99)]:
            person = stubs.person(vendor)
            person.submit()
            person.vendor.conduct.cancels = [mishap]
            ran = person.type("cancel", "last")
            shown = person.type("show", "last")
            runs = bool(person.vendor.running)
            reported = {
                "it runs, and exit 0 says it was cancelled": runs and ran.code == 0 and "cancelled" in ran.out,
                "it runs, and show says it was cancelled": runs and "cancelled" in shown.out,
                "it was cancelled, and show does not know": not runs and "cancelled" not in shown.out,
                "it says that nothing was made": "nothing was made" in ran.err or "no job was" in ran.err,
            }
            case = f"cancel {'done' if done else 'not done'}, {'cut' if mishap.cut else mishap.status}"
            rows.append(verdict(person, case, "shows", broken=", ".join(words for words, so in reported.items() if so)))
    assert wrong(rows) == []


@vendors
@pytest.mark.parametrize("wrong_url", ["http://127.0.0.1:9/v1", "http://127.0.0.1:9"])
def test_the_right_address_after_a_wrong_one_is_one_job_that_the_reply_names(
    stubs: Stubs, vendor: str, wrong_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = stubs.person(vendor)
    monkeypatch.setenv(person.vendor.url_env, wrong_url)
    first = person.submit()
    monkeypatch.setenv(person.vendor.url_env, person.url)
    last = person.submit()
    assert first.code != 0
    assert last.code == 0
    person.recover()
    assert wrong([verdict(person, "a wrong address first", "submits again", last=last)]) == []


@pytest.mark.parametrize("kind", ["events", "files"])
@pytest.mark.parametrize("endless", ["cursor ignored", "alternating"])
def test_a_list_without_an_end_is_given_up(stubs: Stubs, kind: str, endless: Endless) -> None:
    person = stubs.person("openai")
    setattr(person.vendor.conduct, kind, endless)
    person.submit()
    for job in person.jobs():
        person.type("show", job.id)
        person.type("events", job.id)
    settle(person)
    assert wrong([verdict(person, f"{kind} without an end, {endless}", "looks")]) == []


@vendors
@pytest.mark.parametrize("filtered", [True, False], ids=["a filter", "no filter"])
def test_a_hundred_thousand_jobs_of_others_hide_nothing(stubs: Stubs, vendor: str, filtered: bool) -> None:
    person = stubs.person(vendor, creates=[Mishap(cut=True)], listing=Listing(filter_ignored=not filtered, calls=5000))
    person.vendor.storm = 5000
    person.vendor.fill(100_000 if EVERY_CASE or vendor == "together" else 3_000)  # a list without pages is one answer
    person.submit()
    person.submit()
    person.recover()
    assert wrong([verdict(person, f"among many jobs, {'filter' if filtered else 'none'}", "submits again")]) == []


@vendors
def test_at_a_good_vendor_the_same_command_twice_is_one_job_until_it_is_cancelled(stubs: Stubs, vendor: str) -> None:
    person = stubs.person(vendor)
    first, again = person.submit(), person.submit()
    assert first.out == again.out
    rows = [verdict(person, "nothing goes wrong", "submits again", last=again)]
    with Bridge(person.home) as bridge:
        bridge.cancel(first.out.strip())
    anew = person.submit()
    assert (anew.code, len(person.vendor.made), len(person.vendor.running)) == (0, 2, 1)
    assert anew.out != first.out
    assert wrong(rows) == []
