"""Each kind of bad input gets one sentence, on its line, at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import Diagnostics, FileLimits, Finding, Report, check, read_examples
from ftbridge.dataset.canonical.example import Example, Shape
from ftbridge.errors import DataError, InputError, UsageError

GOOD = {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]}


def write(folder: Path, *rows: Any) -> Path:
    """Rows as JSON, strings and bytes as they are."""
    path = folder / "data.jsonl"
    encoded = [
        row if isinstance(row, bytes) else (row if isinstance(row, str) else json.dumps(row)).encode() for row in rows
    ]
    path.write_bytes(b"".join(row + b"\n" for row in encoded))
    return path


def only(report: Report) -> Finding:
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def chat(*messages: Any, **keys: Any) -> dict[str, Any]:
    return {"messages": list(messages), **keys}


USER = {"role": "user", "content": "Hello"}
ANSWER = {"role": "assistant", "content": "Hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CALLING = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "42"}


def test_a_sound_file_has_no_findings(tmp_path: Path) -> None:
    report = check(write(tmp_path, GOOD, GOOD))
    assert (report.format, report.examples, report.errors, report.warnings) == ("chat", 2, 0, 0)
    assert report.why == "line 1 has the keys 'messages'"


@pytest.mark.parametrize(
    "row",
    [
        chat({"role": "system", "content": "Be kind"}, USER, ANSWER),
        chat({"role": "developer", "content": "Be kind"}, USER, ANSWER),
        chat(USER, CALLING, RESULT, ANSWER),
        chat(USER, CALLING),
        chat(USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}),
        chat(USER, {**ANSWER, "content": None, "tool_calls": [CALL]}, {**RESULT, "content": ""}, ANSWER),
        chat(
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8=", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}},
                ],
            },
            ANSWER,
        ),
        chat(USER, CALLING, RESULT, ANSWER, tools=[{"type": "function", "function": {"name": "look"}}]),
        {"input": chat(USER), "preferred_output": [ANSWER], "non_preferred_output": [{**ANSWER, "content": "No"}]},
        {"text": "Once upon a time"},
    ],
)
def test_what_the_format_allows_has_no_findings(tmp_path: Path, row: dict[str, Any]) -> None:
    report = check(write(tmp_path, row))
    assert report.findings == ()
    assert report.examples == 1


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file: .*nothing\.jsonl"):
        check(tmp_path / "nothing.jsonl")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory, not a file"):
        check(tmp_path)


def test_an_unknown_format_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no format 'cvs'") as caught:
        check(write(tmp_path, GOOD), format="cvs")
    assert "chat" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_finding_on_line_0(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    errors = [finding for finding in check(path).findings if finding.level == "error"]
    assert [(finding.line, finding.code) for finding in errors] == [(0, "empty_file")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "windows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + end + json.dumps(GOOD).encode() + end)
    report = check(path)
    assert (report.examples, report.findings) == (2, ())


def test_a_last_line_without_line_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "short.jsonl"
    path.write_bytes(json.dumps(GOOD).encode())
    assert check(path).examples == 1


WHOLE_LINES = [
    (b'{"messages": [{"role": "user", "content": "caf\xe9"}]}', "$", "not_utf8", "byte 47 of the line (0xe9)"),
    ('{"messages": [{"role": "user"', "$", "json", "not JSON at column 30: expecting ',' delimiter"),
    ('{"messages": [', "$", "json", "not JSON at column 15"),
    ("{'messages': []}", "$", "json", "not JSON at column 2: expecting property name"),
    ('{"messages": [],}', "$", "json", "not JSON at column 17"),
    ('{"messages": []} {}', "$", "json", "there is more after the end of the object"),
    ('{"messages": [{"role": "user", "content": NaN}]}', "$", "number", "NaN is not JSON"),
    ('{"messages": [{"role": "user", "content": -Infinity}]}', "$", "number", "-Infinity is not JSON"),
    ('{"messages": [{"role": "user", "content": 1e999}]}', "$", "number", "the number 1e999 is too large"),
    ("[1, 2]", "$", "not_an_object", "the line is a list, not an object"),
    ('"hello"', "$", "not_an_object", "the line is a string, not an object"),
    ("17", "$", "not_an_object", "the line is a number, not an object"),
    ("null", "$", "not_an_object", "the line is null, not an object"),
    ("[" * 100_000, "$", "too_deep", "nested too deeply"),
    ('{"messages": ' * 100_000, "$", "too_deep", "nested too deeply"),
    ('{"messages": [{"role": "user", "content": "a\0b"}]}', "$", "json", "invalid control character"),
    (
        '{"messages": [{"role": "user", "content": "\\ud83d"}, {"role": "assistant", "content": "x"}]}',
        "$.messages[0].content",
        "surrogate",
        "half a surrogate pair",
    ),
]


@pytest.mark.parametrize(("line", "path", "code", "sentence"), WHOLE_LINES)
def test_a_line_that_is_not_a_json_object(
    tmp_path: Path, line: str | bytes, path: str, code: str, sentence: str
) -> None:
    report = check(write(tmp_path, GOOD, line, GOOD))
    finding = only(report)
    assert (finding.line, finding.path, finding.code, finding.level) == (2, path, code, "error")
    assert sentence in finding.message
    assert finding.fix
    assert report.examples == 2


def tool_row(**changes: Any) -> dict[str, Any]:
    return chat(USER, {"role": "assistant", "tool_calls": [{**CALL, **changes}]})


ROWS = [
    (chat(), "$.messages", "empty_messages", "there are no messages"),
    (chat(USER), "$.messages", "no_assistant", "there is no assistant message"),
    (chat(USER, ANSWER, USER), "$.messages[2]", "last_not_assistant", "the last message is from 'user'"),
    (chat(USER, {**ANSWER, "weight": 0}), "$.messages", "nothing_trained", "every assistant message has weight 0"),
    (chat({**USER, "role": "humann"}, ANSWER), "$.messages[0].role", "unknown_role", "'humann' is not a role"),
    (chat({**USER, "role": 5}, ANSWER), "$.messages[0].role", "unknown_role", "'5' is not a role"),
    (chat({"content": "x"}, ANSWER), "$.messages[0]", "missing_role", "the key 'role' is missing"),
    (chat({"role": "user"}, ANSWER), "$.messages[0]", "missing_key", "a user message needs the key 'content'"),
    (chat({**USER, "content": 5}, ANSWER), "$.messages[0].content", "wrong_type", "this is a number (5), but must be"),
    (chat({**USER, "content": None}, ANSWER), "$.messages[0].content", "wrong_type", "this is null, but must be"),
    (chat({**USER, "content": {"a": 1}}, ANSWER), "$.messages[0].content", "wrong_type", "this is an object, but must"),
    (chat({**USER, "content": ""}, ANSWER), "$.messages[0].content", "empty_content", "the user message says nothing"),
    (
        chat(USER, {**ANSWER, "content": " \n"}),
        "$.messages[1].content",
        "empty_content",
        "assistant message says nothing",
    ),
    (chat(USER, {"role": "assistant"}), "$.messages[1].content", "empty_content", "assistant message says nothing"),
    (chat({**USER, "content": []}, ANSWER), "$.messages[0].content", "empty_content", "user message says nothing"),
    (
        chat({**USER, "contents": "x"}, ANSWER),
        "$.messages[0].contents",
        "unknown_key",
        "'contents' is not a key of a user",
    ),
    (chat(USER, ANSWER, source="web"), "$.source", "unknown_key", "'source' is not a key of a chat"),
    (
        chat({**USER, "weight": 1}, ANSWER),
        "$.messages[0].weight",
        "unknown_key",
        "'weight' is not a key of a user message",
    ),
    (
        chat(USER, {**ANSWER, "weight": 0.5}),
        "$.messages[1].weight",
        "wrong_type",
        "this is a number (0.5), but must be 0 or 1",
    ),
    (chat(USER, {**ANSWER, "weight": True}), "$.messages[1].weight", "wrong_type", "this is true, but must be 0 or 1"),
    (chat("hello", ANSWER), "$.messages[0]", "wrong_type", "this is a string ('hello'), but must be"),
    ({"messages": "hello"}, "$.messages", "wrong_type", "this is a string ('hello'), but must be a list"),
    (
        chat(USER, CALLING, USER, ANSWER),
        "$.messages[1].tool_calls[0]",
        "unanswered_tool_call",
        "'call_1' is not answered",
    ),
    (chat(USER, RESULT, ANSWER), "$.messages[1].tool_call_id", "tool_call_id", "'call_1' answers no open tool call"),
    (tool_row(type="fn"), "$.messages[1].tool_calls[0].type", "wrong_type", "must be 'function'"),
    (tool_row(id=""), "$.messages[1].tool_calls[0].id", "tool_call_id", "the call has no id"),
    (
        tool_row(function={"name": "look", "arguments": "{broken"}),
        "$.messages[1].tool_calls[0].function.arguments",
        "arguments",
        "the arguments are not a JSON object: '{broken'",
    ),
    (
        tool_row(function={"name": "look", "arguments": {"a": 1}}),
        "$.messages[1].tool_calls[0].function.arguments",
        "wrong_type",
        "this is an object, but must be a string",
    ),
    (
        chat({**USER, "content": [{"type": "image_url", "image_url": {"url": "cat.png"}}]}, ANSWER),
        "$.messages[0].content[0].image_url.url",
        "image_url",
        "'cat.png' is neither a web address nor a data URL",
    ),
    (
        chat({**USER, "content": [{"type": "audio", "text": "x"}]}, ANSWER),
        "$.messages[0].content[0].type",
        "unknown_type",
        "'audio' is not a type",
    ),
    (
        chat(USER, ANSWER, tools=[{"type": "function", "function": {"name": "a"}}] * 2),
        "$.tools[1].function.name",
        "tool_name",
        "'a' is declared twice",
    ),
    (
        {"text": "x"},
        "$",
        "mixed_shapes",
        "this row is in the format 'text', but the file is read as 'chat' since line 1",
    ),
    (
        {"input": chat(USER), "preferred_output": [ANSWER], "non_preferred_output": [ANSWER]},
        "$",
        "mixed_shapes",
        "this row is in the format 'preference', but the file is read as 'chat' since line 1",
    ),
]


@pytest.mark.parametrize(("row", "path", "code", "sentence"), ROWS)
def test_a_row_that_is_no_chat(tmp_path: Path, row: Any, path: str, code: str, sentence: str) -> None:
    finding = only(check(write(tmp_path, GOOD, row, GOOD)))
    assert (finding.line, finding.path, finding.code, finding.level) == (2, path, code, "error")
    assert sentence in finding.message
    assert finding.fix


PAIR = {"input": chat(USER), "preferred_output": [ANSWER], "non_preferred_output": [{**ANSWER, "content": "No"}]}
PAIRS = [
    ({**PAIR, "preferred_output": []}, "$.preferred_output", "one_output", "preferred_output holds 0 messages"),
    ({**PAIR, "preferred_output": [USER]}, "$.preferred_output[0]", "output_role", "preferred_output is from 'user'"),
    ({**PAIR, "preferred_output": ANSWER}, "$.preferred_output", "wrong_type", "this is an object, but must be a list"),
    ({**PAIR, "input": chat()}, "$.input.messages", "empty_messages", "there are no messages"),
    ({**PAIR, "input": "Hello"}, "$.input", "wrong_type", "but must be a chat, an object"),
    (
        {**PAIR, "preferred_output": [{**ANSWER, "content": ""}]},
        "$.preferred_output[0].content",
        "empty_content",
        "nothing",
    ),
]


@pytest.mark.parametrize(("row", "path", "code", "sentence"), PAIRS)
def test_a_row_that_is_no_preference(tmp_path: Path, row: Any, path: str, code: str, sentence: str) -> None:
    finding = only(check(write(tmp_path, PAIR, row)))
    assert (finding.line, finding.path, finding.code, finding.level) == (2, path, code, "error")
    assert sentence in finding.message


def test_all_problems_of_a_row_are_told_at_once(tmp_path: Path) -> None:
    row = chat({"role": "usr", "content": "x"}, {"role": "assistant", "contnt": 5}, tool=[])
    found = {finding.path for finding in check(write(tmp_path, row)).findings}
    assert found == {"$.tool", "$.messages[0].role", "$.messages[1].contnt"}


def test_a_misspelt_key_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    row = chat(USER, {"role": "assistant", "content": "x", "tool_call": []})
    assert only(check(write(tmp_path, row))).fix == "Did you mean 'tool_calls'?"


@pytest.mark.parametrize(
    "text", ["[\n" + json.dumps(GOOD) + ",\n" + json.dumps(GOOD) + "\n]", json.dumps([GOOD, GOOD])]
)
def test_one_big_json_array_is_one_finding(tmp_path: Path, text: str) -> None:
    finding = only(check(write(tmp_path, text)))
    assert (finding.line, finding.code) == (1, "json_array")
    assert "jq -c '.[]'" in finding.fix


def test_json_laid_out_over_many_lines_is_one_finding(tmp_path: Path) -> None:
    finding = only(check(write(tmp_path, json.dumps(GOOD, indent=2))))
    assert (finding.line, finding.code) == (1, "json_document")


def test_utf_16_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "wide.jsonl"
    path.write_bytes(("\n".join([json.dumps(GOOD)] * 3)).encode("utf-16"))
    assert only(check(path)).code == "not_utf8"


def test_a_line_of_20_mb_is_read(tmp_path: Path) -> None:
    report = check(write(tmp_path, chat({**USER, "content": "x" * 20_000_000}, ANSWER)))
    assert (report.examples, report.findings) == (1, ())


def test_a_line_beyond_the_limit_is_refused_and_reading_goes_on(tmp_path: Path) -> None:
    report = check(write(tmp_path, GOOD, b"x" * (33 * 2**20), GOOD, "[]"))
    assert [(finding.line, finding.code) for finding in report.findings] == [(2, "line_too_long"), (4, "not_an_object")]
    assert report.examples == 2


def test_blank_lines_are_warned_of_and_skipped(tmp_path: Path) -> None:
    report = check(write(tmp_path, GOOD, "", GOOD))
    assert (only(report).line, only(report).code, report.errors, report.examples) == (2, "blank_line", 0, 2)


def test_escape_sequences_do_not_reach_the_message(tmp_path: Path) -> None:
    row = chat({**USER, "role": "\x1b]8;;http://x\x07[bold red]\u202e"}, ANSWER)
    message = only(check(write(tmp_path, GOOD, row))).message
    assert message.isprintable()
    assert "[bold red]" in message


def test_reading_yields_the_examples_with_their_lines(tmp_path: Path) -> None:
    assert [line for line, _ in read_examples(write(tmp_path, GOOD, "", GOOD))] == [1, 3]


def test_reading_stops_at_the_first_bad_row(tmp_path: Path) -> None:
    rows = read_examples(write(tmp_path, GOOD, chat(USER)))
    next(rows)
    with pytest.raises(DataError, match=r"data\.jsonl, line 2, \$\.messages: there is no assistant message") as caught:
        next(rows)
    assert (caught.value.line, caught.value.path) == (2, "$.messages")


def test_an_output_of_a_preference_shows_no_image(tmp_path: Path) -> None:
    shown = [{"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}]
    row = {"input": chat(USER), "preferred_output": [ANSWER], "non_preferred_output": [{**ANSWER, "content": shown}]}
    assert only(check(write(tmp_path, row))).code == "image_role"


class Refusing:
    """A target that wants every tool declared."""

    target = "refusing"
    shapes: frozenset[Shape] = frozenset({"chat"})
    limits = FileLimits()

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        diagnostics.error("$.messages[1].tool_calls[0].function.name", "tool_not_defined", "not defined", "Define it.")


def test_one_defect_is_told_once(tmp_path: Path) -> None:
    path = write(tmp_path, chat(USER, CALLING, RESULT, ANSWER, tools=[]))
    assert only(check(path)).code == "undeclared_tool"
    assert only(check(path, converters=[Refusing()])).code == "tool_not_defined"
