"""Vendor answers become one tree of errors; only what may pass is asked again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ftbridge import errors
from ftbridge.errors import AskedToWait, FtbridgeError, NetworkError, RateLimited, ServerTrouble
from ftbridge.provider import retry
from ftbridge.provider.answers import error_from, retry_after
from ftbridge.provider.retry import with_retries


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "InvalidRequest"), (401, "AuthenticationFailed"), (402, "QuotaExceeded"), (403, "AccessDenied"),
        (404, "NotFound"), (409, "Conflict"), (410, "ProviderRetired"), (413, "InvalidRequest"),
        (418, "InvalidRequest"), (422, "InvalidRequest"), (429, "RateLimited"), (500, "ServerTrouble"),
        (501, "ProviderRetired"), (503, "ServerTrouble"), (307, "BadAnswer"),
    ],
)  # fmt: skip
def test_the_status_decides(status: int, kind: str) -> None:
    error = error_from("acme", status, "No.", code="why", param="model", headers={"x-request-id": "r1"})
    assert type(error).__name__ == kind
    assert (error.status, error.code, error.param, error.request_id) == (status, "why", "model", "r1")
    assert error.message == f"acme answered {status}: No."
    assert error.hint
    assert error.exit_code == 3


def test_a_429_about_money_is_not_a_matter_of_waiting() -> None:
    assert isinstance(error_from("acme", 429, "Pay.", code="credit_balance_exhausted"), errors.QuotaExceeded)
    assert isinstance(error_from("acme", 429, "Pay.", kind="insufficient_quota"), errors.QuotaExceeded)


def test_retry_after_is_a_number_or_a_date() -> None:
    assert retry_after({"retry-after": "2.5"}) == 2.5
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < (retry_after({"retry-after": soon}) or 0) <= 100
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None


def asking(*outcomes: object) -> tuple[list[float], object]:
    """The waits and the outcome of asking somebody who answers like this."""
    waits: list[float] = []
    coming = list(outcomes)

    def ask() -> object:
        outcome = coming.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    try:
        return waits, with_retries(ask, attempts=3, sleep=waits.append)
    except FtbridgeError as problem:
        return waits, problem


def test_trouble_that_passes_is_waited_out() -> None:
    trouble = error_from("acme", 503, "Busy.")
    waits, outcome = asking(NetworkError("gone"), trouble, "done")
    assert outcome == "done"
    assert retry.FIRST_WAIT <= waits[0] < waits[1] <= 2.5 * retry.FIRST_WAIT


def test_the_vendors_own_wait_is_obeyed() -> None:
    waits, outcome = asking(error_from("acme", 429, "Slow down.", headers={"retry-after": "7"}), "done")
    assert (waits, outcome) == ([7.0], "done")


def test_a_wait_of_an_hour_is_somebody_elses_decision() -> None:
    waits, outcome = asking(error_from("acme", 429, "Slow down.", headers={"retry-after": "3600"}), "done")
    assert waits == []
    assert isinstance(outcome, RateLimited)
    assert outcome.describe()["retry_after"] == 3600


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_whoever_is_asked_to_wait_waits(status: int) -> None:
    waits, outcome = asking(error_from("acme", status, "Busy.", headers={"retry-after": "7"}), "done")
    assert (waits, outcome) == ([7.0], "done")
    waits, outcome = asking(error_from("acme", status, "Busy.", headers={"retry-after": "3600"}), "done")
    assert waits == []
    assert isinstance(outcome, AskedToWait)
    assert outcome.describe()["retry_after"] == 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("1e300", 86_400.0),
        ("inf", 86_400.0),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_a_wait_is_a_number_or_a_date_and_never_longer_than_a_day(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}) == seconds


@pytest.mark.parametrize("message", ["half \ud83d", "a\0b", "x" * 10_000_000, None, {"a": 1}, ["\ud800"]], ids=repr)
def test_what_a_vendor_says_can_be_printed_and_stored(message: object) -> None:
    problem = error_from("acme", 500, message, code={"odd": 1}, kind=[], param="\ud83d", headers={})
    assert json.dumps(problem.describe(), ensure_ascii=False).encode()
    assert "\0" not in problem.message
    assert len(problem.message) < 3000


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_a_refusal_is_not_asked_again(status: int) -> None:
    waits, outcome = asking(error_from("acme", status, "No."), "done")
    assert waits == []
    assert isinstance(outcome, FtbridgeError)


def test_it_gives_up_in_the_end() -> None:
    waits, outcome = asking(*[error_from("acme", 500, "Broken.") for _time in range(9)])
    assert len(waits) == 2
    assert isinstance(outcome, ServerTrouble)
