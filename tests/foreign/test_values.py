"""Values from outside become fields of ftbridge's own objects, whatever they are."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbridge.foreign.values import MOST_CHARACTERS, count_of, number_of, text_of, time_of, times_of
from ftbridge.model import Event, Result, Status
from ftbridge.provider import Listed, RemoteJob

NOT_NUMBERS = [math.nan, math.inf, "soon", "", None, [], {}, True, "1" * 5000]


@pytest.mark.parametrize("value", [*NOT_NUMBERS, -1, 1.5, "1.5", 2**60, 10**400], ids=lambda value: repr(value)[:20])
def test_what_is_no_count_is_none(value: object) -> None:
    assert count_of(value) is None


@pytest.mark.parametrize("value", [7, 7.0, "7", "7.0"], ids=repr)
def test_a_count_may_be_a_float_or_a_text(value: object) -> None:
    assert count_of(value) == 7
    assert Event.model_validate({"at": 0, "kind": "metric", "step": value}).step == 7


@pytest.mark.parametrize("value", [*NOT_NUMBERS, 10**400], ids=lambda value: repr(value)[:20])
def test_what_is_no_number_is_none(value: object) -> None:
    assert number_of(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *NOT_NUMBERS,
        -1,
        253_402_300_800,
        1_767_000_000_000,
        -(10**30),
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:00:00-09:00",
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_time_is_none_and_an_event_without_one_was_seen_now(value: object) -> None:
    assert time_of(value) is None
    event = Event.model_validate({"at": value, "kind": "message", "message": "hello"})
    assert abs((event.at - datetime.now(UTC)).total_seconds()) < 60


@pytest.mark.parametrize(
    "value",
    [
        1_767_323_045,
        1_767_323_045.0,
        "1767323045",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05",
        "2026-01-02T04:04:05+01:00",
    ],
    ids=repr,
)
def test_a_time_may_be_seconds_or_iso(value: object) -> None:
    assert time_of(value) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_what_has_no_time_has_that_of_what_was_before_it() -> None:
    known = datetime(2026, 1, 2, tzinfo=UTC)
    assert times_of(["?", "2026-01-02", None, "2026-01-03"]) == [known, known, known, known.replace(day=3)]
    assert times_of(["?", None]) == [None, None]


@pytest.mark.parametrize(
    "text", ["half \ud83d", "a\0b", "x" * 10_000_000, "\ud83d" * 50_000], ids=lambda text: text[:9]
)
def test_a_text_can_be_stored_and_is_short(text: str) -> None:
    kept = text_of(text)
    assert kept.encode()
    assert "\0" not in kept
    assert len(kept) <= MOST_CHARACTERS
    assert text_of(kept) == kept


def test_an_enum_of_texts_is_its_value() -> None:
    assert text_of(Status.RUNNING) == "running"


def test_a_result_has_the_files_that_have_names() -> None:
    assert Result.model_validate({"files": ["a", None, 3, "b\0", ["c"]]}).files == ("a", "b\N{REPLACEMENT CHARACTER}")
    assert Result.model_validate({"files": "one"}).files == ("one",)


_texts = st.text(st.characters(), max_size=30) | st.sampled_from(["\ud83d", "\0", "9" * 400, "NaN"])
_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=10,
)


def _is_kept(kept: Any) -> None:
    text = kept.model_dump_json()
    assert "\\u0000" not in text
    assert text.encode()
    assert type(kept).model_validate_json(text) == kept
    json.loads(text, parse_constant=pytest.fail)


@given(st.dictionaries(st.sampled_from([*(set(Event.model_fields) - {"kind", "status"})]), _values))
def test_an_event_of_anything_is_kept(fields: dict[str, Any]) -> None:
    texts = {name: str(fields[name]) for name in ("cursor", "code") if name in fields}
    _is_kept(Event.model_validate({"at": None, "kind": "message", **fields, **texts, "code": None}))


@given(_values, _values, _values, _values)
def test_a_job_of_anything_is_kept(one: Any, two: Any, three: Any, four: Any) -> None:
    remote = RemoteJob.model_validate(
        {"remote_id": f"r{one}", "status": "running", "raw_status": str(two), "error": three, "trained_tokens": four}
        | {"cost_usd": one, "estimate_usd": two, "estimate_tokens": three}
    )
    _is_kept(remote)
    listed = {"remote": remote, "model": str(one), "training_file": str(two), "created_at": three, "finished_at": four}
    _is_kept(Listed.model_validate({**listed, "grader": four, "response_format": {"schema": one}}))
