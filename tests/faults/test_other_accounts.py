"""A key that was rotated, an address spelled differently, a key that comes later: what a person types next."""

from __future__ import annotations

import pytest

from faults.people import LONG, Person, Stubs
from faults.stubs.conduct import Listing, Mishap


def test_a_key_stays_with_the_job_that_it_goes_on_with(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        assert person.submit().code == 4
    ran = [person.submit("--idempotency-key", "monday") for _number in range(2)]
    assert [one.code for one in ran] == [0, 0]
    assert ran[0].out == ran[1].out
    assert len(person.vendor.made) == 1


def test_the_same_request_with_another_key_is_warned_of(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    [first] = [person.submit().out.strip()]
    monkeypatch.setenv("OPENAI_API_KEY", "a-rotated-key")
    second = person.submit()
    assert f"job {first} is the same request, made with another API key or base URL" in " ".join(second.err.split())
    assert f"`ftbridge cancel {second.out.strip()}` drops it" in " ".join(second.err.split())


def test_again_takes_an_unclear_job_that_the_rotated_key_shows(stubs: Stubs, monkeypatch: pytest.MonkeyPatch) -> None:
    person = stubs.person("openai", creates=[Mishap(True, cut=True)], listing=Listing(refused=500))
    assert person.submit().code == 4
    [unclear] = person.jobs()
    person.vendor.conduct.listing = Listing()
    monkeypatch.setenv("OPENAI_API_KEY", "a-rotated-key")
    ran = person.submit("--again")
    assert (ran.code, ran.out.strip(), len(person.vendor.made)) == (0, unclear.id, 1)


def test_a_job_cancelled_while_unclear_is_cancelled_there_as_soon_as_it_is_listed(stubs: Stubs) -> None:
    person = stubs.person("openai", window=LONG, creates=[Mishap(True, cut=True)], listing=Listing(lag_calls=4))
    person.submit()
    [unclear] = person.jobs()
    assert person.type("cancel", unclear.id).code == 0
    for _number in range(6):
        person.recover()
    assert [made.id for made in person.vendor.running] == []


def test_after_that_the_same_command_creates_a_new_job(stubs: Stubs) -> None:
    person = stubs.person("openai", window=LONG, creates=[Mishap(True, cut=True)], listing=Listing(lag_calls=4))
    person.submit()
    [unclear] = person.jobs()
    assert person.type("cancel", unclear.id).code == 0
    person.vendor.conduct.listing = Listing()
    ran = person.submit()
    assert (ran.code, len(person.vendor.made), len(person.vendor.running)) == (0, 2, 1)
    assert ran.out.strip() != unclear.id
    assert "it was cancelled there" in ran.err
