"""Writing for a target: same bytes where nothing changes, nothing at all where something is impossible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import Diagnostics, FileLimits, convert, prepare
from ftbridge.dataset.canonical.example import Assistant, Chat, Example, Shape
from ftbridge.dataset.writing.atomic_file import atomic_file
from ftbridge.errors import InputError

GOOD = '{"messages":  [{"role": "user", "content": "caf\\u00e9"}, {"role": "assistant", "content": "a \\"b\\""}]}'


class Plain:
    """Takes everything as it is, except the word 'never'; 'shout' is written in capitals."""

    target = "plain"
    limits = FileLimits()
    shapes: frozenset[Shape] = frozenset({"chat"})

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        assert isinstance(example, Chat)
        last = example.messages[-1]
        if last.content == "never":
            diagnostics.error("$.messages[1].content", "never", "plain refuses 'never'", "Say something else.")
        if last.content == "shout":
            diagnostics.changed("capitals")
            return Chat([*example.messages[:-1], Assistant("SHOUT")])
        return example


class Many(Plain):
    limits = FileLimits(fewest_examples=10)


def row(answer: str) -> str:
    return json.dumps({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": answer}]})


def write(folder: Path, *rows: str) -> Path:
    path = folder / "data.jsonl"
    path.write_text("".join(line + "\n" for line in rows))
    return path


def test_rows_that_the_target_takes_are_the_same_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, row("yes"))
    done = convert(path, Plain(), tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == path.read_bytes()
    assert (done.examples, done.exact, done.changed, done.impossible) == (2, 2, {}, ())


def test_mark_line_ends_and_blank_lines_are_not_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "windows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode() + b"\r\n\r\n" + GOOD.encode())
    convert(path, Plain(), tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == f"{GOOD}\n{GOOD}\n"


def test_changes_are_counted_with_their_first_line(tmp_path: Path) -> None:
    done = convert(write(tmp_path, row("a"), row("shout"), row("shout")), Plain(), tmp_path / "out.jsonl")
    assert (done.exact, done.changed) == (1, {"capitals": (2, 2)})
    assert '"SHOUT"' in (tmp_path / "out.jsonl").read_text()


@pytest.mark.parametrize(
    "line",
    [
        '{"prompt":"no","prompt":"x","completion":"yes"}',
        '{"conversations":[{"from":"human","value":"x"},{"from":"gpt","value":"no","value":"yes"}]}',
    ],
)
def test_a_repeated_key_of_another_format_is_said(tmp_path: Path, line: str) -> None:
    done = convert(write(tmp_path, line), Plain(), tmp_path / "out.jsonl")
    assert (done.exact, done.changed) == (0, {"repeated_keys_removed": (1, 1)})
    messages = json.loads((tmp_path / "out.jsonl").read_text())["messages"]
    assert [message["content"] for message in messages] == ["x", "yes"]
    [finding] = prepare(tmp_path / "data.jsonl", tmp_path / "out", validation=0).findings
    assert (finding.line, finding.code) == (1, "repeated_key")


@pytest.mark.parametrize(
    "line",
    [
        '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"no","content":"yes"}]}',
        '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"no","\\u0063ontent":"yes"}]}',
        '{"messages":[{"role":"user","content":"\\u0022\\u0022"},{"role":"assistant","name":"a","name":"b","content":"y"}]}',
        r'{"messages":[{"role":"user","content":"x\\"},{"role":"assistant","content":"no\\","content":"\"yes\\"}]}',
        '{"messages":[],"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"yes"}]}',
        '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"yes"}],"tools":[{"type":"function",'
        '"function":{"name":"f","parameters":{"a":1,"b":{"c":1,"c":2}}}}]}',
    ],
)
def test_a_repeated_key_is_not_passed_on(tmp_path: Path, line: str) -> None:
    done = convert(write(tmp_path, row("a"), line), Plain(), tmp_path / "out.jsonl")
    assert done.changed == {"repeated_keys_removed": (1, 2)}
    written = (tmp_path / "out.jsonl").read_text().splitlines()[1]
    assert json.loads(written) == json.loads(line)
    assert written != line


@pytest.mark.parametrize(
    "line",
    [
        r'{"messages":[{"role":"user","content":"\\\"x\\"},{"role":"assistant","content":"\\","weight":1,"name":"\""}]}',
        '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":'
        '"function","function":{"name":"f","arguments":"{}"}}]}],"tools":[{"type":"function","function":{"name":"f"}}]}',
        '{"messages":[{"role":"user","content":"\\u0022x\\u0022"},{"role":"assistant","content":"\\ud83d\\ude00\\/"}]}',
        '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"yes"}],"tools":[{"type":"function",'
        '"function":{"name":"f","parameters":{"a":1e5,"b":12345678901234567890123,"c":null}}}]}',
    ],
)
def test_unusual_but_single_keys_are_passed_on_as_they_are(tmp_path: Path, line: str) -> None:
    done = convert(write(tmp_path, line), Plain(), tmp_path / "out.jsonl")
    assert done.exact == 1
    assert (tmp_path / "out.jsonl").read_text() == line + "\n"


def test_nothing_is_written_when_something_is_impossible(tmp_path: Path) -> None:
    done = convert(write(tmp_path, row("a"), row("never"), "[]", row("b")), Plain(), tmp_path / "out.jsonl")
    assert [(finding.line, finding.code, finding.target) for finding in done.impossible] == [
        (2, "never", "plain"),
        (3, "not_an_object", ""),
    ]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["data.jsonl"]


def test_an_earlier_file_stays_when_something_is_impossible(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("earlier")
    convert(write(tmp_path, row("never")), Plain(), tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "earlier"


def test_too_few_examples_are_impossible(tmp_path: Path) -> None:
    done = convert(write(tmp_path, row("a")), Many(), tmp_path / "out.jsonl")
    assert done.impossible[0].message == "the file has 1 valid example, and plain requires at least 10"


def test_a_shape_that_the_target_does_not_train_on_is_impossible(tmp_path: Path) -> None:
    done = convert(write(tmp_path, '{"text": "a"}', '{"text": "b"}'), Plain(), tmp_path / "out.jsonl")
    assert [(finding.line, finding.message) for finding in done.impossible] == [
        (1, "plain does not train on text rows by this method, and the file has no others")
    ]


def test_the_key_is_that_of_the_content(tmp_path: Path) -> None:
    path = write(tmp_path, row("a"))
    first = convert(path, Plain(), tmp_path / "1").key
    assert first == convert(path, Plain(), tmp_path / "2").key
    assert first != convert(write(tmp_path, row("b")), Plain(), tmp_path / "3").key
    assert len(first) == 32


def test_a_path_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder") as problem:
        convert(write(tmp_path, row("a")), Plain(), tmp_path / "no where" / "out.jsonl")
    assert problem.value.hint == f"Make it with `mkdir -p '{tmp_path}/no where'`, or choose another path."


def give_up(path: Path) -> None:
    with atomic_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError


def test_a_file_that_is_given_up_halfway_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        give_up(tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_a_repeated_list_of_parts_is_noticed(tmp_path: Path) -> None:
    part = '[{"type":"text","text":"a"}]'
    line = row("a").replace("[{", f'[{{"role":"system","content":{part},"content":{part}}},{{', 1)
    done = convert(write(tmp_path, line), Plain(), tmp_path / "out.jsonl")
    assert done.changed == {"repeated_keys_removed": (1, 1)}


def test_an_empty_list_of_parts_is_refused(tmp_path: Path) -> None:
    line = row("a").replace("[{", '[{"role":"system","content":[]},{', 1)
    done = convert(write(tmp_path, line), Plain(), tmp_path / "out.jsonl")
    assert (done.impossible[-1].code, done.impossible[-1].line) == ("empty_content", 1)


def test_a_file_that_is_written_has_the_usual_permissions(tmp_path: Path) -> None:
    convert(write(tmp_path, row("a")), Plain(), tmp_path / "out.jsonl")
    (tmp_path / "usual").touch()
    assert (tmp_path / "out.jsonl").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_dataset_is_not_written_over_by_its_own_conversion(tmp_path: Path) -> None:
    data = write(tmp_path, GOOD)
    before = data.read_bytes()
    with pytest.raises(InputError, match="its own conversion"):
        convert(data, Plain(), tmp_path / "." / "data.jsonl")
    assert data.read_bytes() == before
