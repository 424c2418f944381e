"""The fast test for secrets never misses one that the patterns find."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ftbridge.dataset.canonical.example import Assistant, Chat, Example, FunctionCall, ToolCall, User
from ftbridge.dataset.canonical.texts import texts
from ftbridge.dataset.checking.secrets import secrets, secrets_of

PIECES = st.sampled_from(
    [
        *("sk-" + "a" * 20, "AKIA" + "A" * 16, "ghs_" + "b" * 36, "AIza" + "c" * 35, "hf_" + "d" * 34),
        *("xoxb-" + "1" * 10, "-----BEGIN PRIVATE KEY-----", "ann@example.org", "@", "4111 1111 1111 1111"),
        *("4111-1111", "٤١١١١١١١١١١١١١١١", "\n", "\\", '"', " ", "-", "7", "é"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join))
@example("５５００ ００００ ００００ ０００4")
def test_nothing_is_missed(text: str) -> None:
    call = ToolCall("1", "function", FunctionCall("look", text))
    for chat in (Chat([User(text), Assistant("x")]), Chat([User("x"), Assistant(None, tool_calls=[call])])):
        row: Example = chat
        assert secrets_of(row, msgspec.json.encode(row)) == [found for part in texts(row) for found in secrets(part)]


@pytest.mark.parametrize("text", ["", "plain words", "the number is 12345", "a_b-c"])
def test_plain_text_has_none(text: str) -> None:
    row = Chat([User(text), Assistant("x")])
    assert secrets_of(row, msgspec.json.encode(row)) == []
