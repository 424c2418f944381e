"""What the adapters make of answers with anything in them: each job and each event is read for itself."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbridge.errors import BadAnswer, ListingUnfinished
from ftbridge.model import Status
from ftbridge.provider import RemoteJob
from ftbridge.provider.paging import by_cursor, by_number
from ftbridge.provider.unreadable import decode_json, whole_list
from ftbridge_providers.mistral import reading as mistral
from ftbridge_providers.openai_api import reading as openai_api
from ftbridge_providers.together import reading as together

_texts = st.text(max_size=20) | st.sampled_from(["\ud83d", "\0", "9" * 400])
ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)
GOOD = {"id": "good", "status": "running", "created_at": 1_767_000_000}
HOSTILE_JOBS: list[Any] = [
    None,
    [],
    "a job",
    7,
    {},
    {"id": None, "status": "running"},
    {"id": 5, "status": []},
    {**GOOD, "id": "x", "status": ["running"]},
    {**GOOD, "id": "x", "status": None},
    {**GOOD, "id": "x", "trained_tokens": "many"},
    {**GOOD, "id": "x", "trained_tokens": 1e300},
    {**GOOD, "id": "x", "result_files": {"a": 1}},
    {**GOOD, "id": "x", "error": "half \ud83d"},
    {**GOOD, "id": "x", "error": {"message": ["\0"]}},
    {**GOOD, "id": "x", "fine_tuned_model": 12},
    {**GOOD, "id": "x", "created_at": "yesterday"},
    {**GOOD, "id": "x", "metadata": "none"},
    {**GOOD, "id": "x", "events": [None, 3, {"created_at": "?", "data": {"status": []}}]},
]


@pytest.mark.parametrize("job", HOSTILE_JOBS, ids=lambda job: repr(job)[:60])
def test_one_job_of_a_page_spoils_no_other(job: Any) -> None:
    content = json.dumps({"data": [job, GOOD], "has_more": False, "total": 2}).encode()
    pages: list[list[Any]] = [openai_api.read_short_page("acme", content).data, together.read_short_list(content)]
    for jobs in pages:
        assert jobs[-1].id == "good"
    reads: list[list[RemoteJob]] = [
        [openai_api.read_job(one, openai_api.STATUS) for one in pages[0]],
        [together.read_job(one) for one in pages[1]],
        [
            mistral.read_job(mistral.as_job_body(one))
            for one in mistral.read_page(decode_json(content, mistral.Page)).data
            if isinstance(one, mistral.JobBody)
        ],
    ]
    for remotes in reads:
        for remote in remotes:
            assert "\\u0000" not in remote.model_dump_json()
        assert (remotes[-1].remote_id, remotes[-1].raw_status) == ("good", "running")


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'{"data": 3}', b"{" * 100_000, b"\xff\xfe", b"<html>"])
def test_what_is_no_page_is_a_bad_answer(content: bytes) -> None:
    with pytest.raises(BadAnswer):
        openai_api.read_short_page("acme", content)
    with pytest.raises(BadAnswer):
        together.read_short_list(content)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": "\\ud83d"}', {"a": "?"}),
        (b'{"a": "x\\u0000"}', {"a": "x\0"}),  # taken as it is where the rest can be read; fields clean it
        (b'{"a": NaN, "b": 1}', {"a": None, "b": 1}),
        (b'{"a": 1e400}', {"a": None}),
        (b'{"a": "\xff"}', {"a": "\N{REPLACEMENT CHARACTER}"}),
    ],
    ids=repr,
)
def test_json_that_other_programs_write_is_read(content: bytes, value: Any) -> None:
    assert decode_json(content, dict[str, Any]) == value


def test_a_list_with_something_unreadable_proves_nothing_absent() -> None:
    read: list[str] = []
    with pytest.raises(ListingUnfinished, match="cannot be read: KeyError"):
        read.extend(whole_list("acme", [{"id": "a"}, {}, {"id": "b"}], lambda job: str(job["id"])))
    assert read == ["a", "b"]


def test_null_is_no_item_and_ends_no_listing() -> None:
    good = SimpleNamespace(id="good")
    page = SimpleNamespace(data=[None, good], has_more=False, total=1)
    assert list(by_cursor("acme", lambda _after: page)) == [good]
    assert list(by_number("acme", lambda _number: page)) == [good]


def test_pages_that_end_with_something_without_an_id_go_on_after_the_last_that_has_one() -> None:
    asked: list[str] = []

    def page_after(after: str) -> Any:
        asked.append(after)
        return SimpleNamespace(data=[] if after else [SimpleNamespace(id="a"), "no job"], has_more=not after)

    assert len(list(by_cursor("acme", page_after))) == 2
    assert asked == ["", "a"]


def test_events_without_ids_and_times_are_read_once_each_in_their_order() -> None:
    events = [
        SimpleNamespace(id=None, created_at="?", type="message", message=f"number {number}", data=None)
        for number in range(3)
    ]
    read = openai_api.read_events([*events, None, "no event"])
    assert [event.message for event in read] == ["number 0", "number 1", "number 2"]
    assert len({event.cursor for event in read}) == 3
    assert [event.cursor for event in openai_api.read_events(events)] == [event.cursor for event in read]


def _object(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**fields)


@given(st.lists(st.builds(_object, id=ANYTHING, created_at=ANYTHING, type=ANYTHING, message=ANYTHING, data=ANYTHING)))
def test_openais_events_of_anything_are_read(events: list[Any]) -> None:
    for event in openai_api.read_events(events):
        assert "\\u0000" not in event.model_dump_json()


@given(
    st.lists(
        st.builds(_object, created_at=ANYTHING, type=ANYTHING, message=ANYTHING, step=ANYTHING, total_steps=ANYTHING)
    ),
    st.lists(ANYTHING | st.dictionaries(st.sampled_from(["timestamp", "train/loss", "train/global_step"]), ANYTHING)),
)
def test_togethers_events_of_anything_are_read_once(events: list[Any], metrics: list[Any]) -> None:
    read = together.read_events(events, metrics, "")
    assert [event.cursor for event in together.read_events(events, metrics, "")] == [event.cursor for event in read]
    if read:
        assert together.read_events(events, metrics, read[-1].cursor) == []


@given(st.dictionaries(st.sampled_from([*msgspec.structs.asdict(mistral.JobBody("", "", 0))]), ANYTHING))
def test_mistrals_jobs_of_anything_are_read(fields: dict[str, Any]) -> None:
    body = mistral.JobBody(**{**GOOD, **fields, "id": "x"})
    assert mistral.read_job(body).remote_id == "x"
    assert mistral.read_listed(body).remote.status in Status
    cursors = [event.cursor for event in mistral.read_events(body, "")]
    assert cursors == sorted(set(cursors))
    assert mistral.awaits(body) in ("validation", "start", "nothing")


@given(st.dictionaries(st.sampled_from([*msgspec.structs.asdict(openai_api.ShortJob("", ""))]), ANYTHING))
def test_openais_jobs_of_anything_are_read(fields: dict[str, Any]) -> None:
    job = openai_api.ShortJob(**{"status": "running", **fields, "id": "x"})
    assert openai_api.read_job(job, openai_api.STATUS).remote_id == "x"
