"""Each way in which a row is not a valid preference has one finding, at its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import check
from planted_rows import ANSWER, CALLING, RESULT, TOOLS, USER, chat, only, write

PAIR = {"input": chat(USER), "preferred_output": [ANSWER], "non_preferred_output": [{**ANSWER, "content": "No"}]}
PAIRS = [
    ({**PAIR, "preferred_output": []}, "$.preferred_output", "one_output", "preferred_output has 0 messages"),
    ({**PAIR, "preferred_output": [USER]}, "$.preferred_output[0]", "output_role", "preferred_output is from 'user'"),
    ({**PAIR, "preferred_output": ANSWER}, "$.preferred_output", "wrong_type", "this is an object, but must be a list"),
    ({**PAIR, "input": chat()}, "$.input.messages", "empty_messages", "there are no messages"),
    ({**PAIR, "input": "Hello"}, "$.input", "wrong_type", "but must be a chat, an object"),
    (
        {**PAIR, "preferred_output": [{**ANSWER, "content": ""}]},
        "$.preferred_output[0].content",
        "empty_content",
        "is empty",
    ),
]


@pytest.mark.parametrize(("row", "path", "code", "sentence"), PAIRS)
def test_a_row_that_is_not_a_valid_preference(tmp_path: Path, row: Any, path: str, code: str, sentence: str) -> None:
    finding = only(check(write(tmp_path, PAIR, row)))
    assert (finding.line, finding.path, finding.code, finding.level) == (2, path, code, "error")
    assert sentence in finding.message


def test_an_output_of_a_preference_has_no_image(tmp_path: Path) -> None:
    shown = [{"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}]
    row = {"input": chat(USER), "preferred_output": [ANSWER], "non_preferred_output": [{**ANSWER, "content": shown}]}
    assert only(check(write(tmp_path, row))).code == "image_role"


TURNS = [CALLING, RESULT, ANSWER]


@pytest.mark.parametrize("output", [TURNS, [ANSWER, USER, ANSWER], [ANSWER, ANSWER], [CALLING]])
def test_an_output_may_have_several_messages(tmp_path: Path, output: list[Any]) -> None:
    worse = [{**ANSWER, "content": "No"}]
    pair = {"input": chat(USER, tools=TOOLS), "preferred_output": output, "non_preferred_output": worse}
    assert check(write(tmp_path, pair)).findings == ()


def test_an_output_may_answer_the_inputs_call(tmp_path: Path) -> None:
    pair = {"input": chat(USER, CALLING, tools=TOOLS), "preferred_output": [RESULT, ANSWER]}
    assert check(write(tmp_path, {**pair, "non_preferred_output": [RESULT, CALLING]})).findings == ()


@pytest.mark.parametrize(
    ("output", "path", "code"),
    [
        ([ANSWER, USER], "[1]", "output_role"),
        ([USER, ANSWER], "[0]", "output_role"),
        ([ANSWER, {"role": "system", "content": "Be brief."}, ANSWER], "[1]", "output_role"),
        ([RESULT, ANSWER], "[0].tool_call_id", "tool_call_id"),
        ([CALLING, ANSWER], "[0].tool_calls[0]", "unanswered_tool_call"),
        ([{**ANSWER, "content": ""}, USER, ANSWER], "[0].content", "empty_content"),
    ],
)
def test_several_messages_follow_the_rules_of_a_chat(tmp_path: Path, output: Any, path: str, code: str) -> None:
    pair = {"input": chat(USER, tools=TOOLS), "preferred_output": output, "non_preferred_output": [ANSWER]}
    found = only(check(write(tmp_path, pair)))
    assert (found.path, found.code) == (f"$.preferred_output{path}", code)
