"""Hostile lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from planted_rows import ANSWER, CALL, GOOD, USER, chat

LINE = json.dumps(GOOD).encode() + b"\n"
SURROGATE = '"\\ud83d"'
TOOL = {"type": "function", "function": {"name": "look", "parameters": {}}}


def file_of(lines: Iterable[bytes], folder: Path) -> Path:
    path = folder / "data.jsonl"
    with path.open("wb") as file:
        file.writelines(lines)
    return path


def of(make: Callable[[], bytes | str]) -> Callable[[Path], Path]:
    """A file of what `make` returns, and a good line."""

    def write(folder: Path) -> Path:
        made = make()
        return file_of([made if isinstance(made, bytes) else made.encode(), b"\n", LINE], folder)

    return write


def many(count: int, line: Callable[[int], Any]) -> Callable[[Path], Path]:
    """A file of so many lines, each made from its number."""

    def lines() -> Iterable[bytes]:
        for number in range(count):
            row = line(number)
            yield row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n"

    return lambda folder: file_of(lines(), folder)


def nested(depth: int, inside: str, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + inside + closing * depth


def with_parameters(text: str) -> str:
    """A chat whose tool has these parameters, where JSON may be nested as deeply as one likes."""
    row = json.dumps(chat(USER, ANSWER, tools=[TOOL]))
    return row.replace('"parameters": {}', f'"parameters": {{"a": {text}}}')


def deep_parameters(depth: int) -> str:
    return with_parameters(nested(depth, "1", '{"a":', "}"))


def deep_reference(depth: int) -> str:
    return json.dumps({"messages": [USER], "reference": {"a": "?"}}).replace('"?"', nested(depth, "1"))


DEPTHS = (100, 240, 320, 480, 600, 900, 960, 975, 985, 990, 995, 1000, 5000, 100_000)

CASES: dict[str, Callable[[Path], Path | str]] = {
    **{f"half an emoji in lists {depth} deep": of(partial(nested, depth, SURROGATE)) for depth in (300, 600, 900, 990)},
    "half an emoji in objects 600 deep": of(lambda: nested(600, SURROGATE, '{"a":', "}")),
    "half an emoji as a key 600 deep": of(lambda: nested(600, f"{{{SURROGATE}: 1}}", '{"a":', "}")),
    "half an emoji under a million values": of(lambda: "[" + "1," * 400_000 + nested(600, SURROGATE) + "]"),
    "half an emoji as the line": of(lambda: SURROGATE),
    **{f"parameters {depth} deep": of(partial(deep_parameters, depth)) for depth in DEPTHS},
    **{f"a reference {depth} deep": of(partial(deep_reference, depth)) for depth in DEPTHS},
    "a content 960 deep": of(lambda: json.dumps(chat(USER, ANSWER)).replace('"Hi"', nested(960, "1"))),
    "the same key a million times": of(lambda: '{"text": "x"' + ', "a": 1' * 1_000_000 + "}"),
    "ten thousand repeated keys": of(lambda: '{"messages": [], ' + '"a": 1, ' * 10_000 + '"b": 1}'),
    "a row of a million unknown keys": of(
        lambda: json.dumps({"messages": [], **{f"k{n}": 1 for n in range(1_000_000)}})
    ),
    "a row of 200,000 unknown keys": of(lambda: json.dumps({"messages": [], **{f"k{n}": 1 for n in range(200_000)}})),
    "sixteen million numbers for messages": of(lambda: '{"messages": [' + "1," * 15_900_000 + "1]}"),
    "ten million objects for messages": of(lambda: '{"messages": [' + "{}," * 10_000_000 + "{}]}"),
    "four million small objects as parameters": of(lambda: with_parameters("[" + '{"a":1},' * 4_000_000 + "1]")),
    "400,000 numbers for messages": of(lambda: '{"messages": [' + "1," * 400_000 + "1]}"),
    "200,000 messages of unknown roles": of(
        lambda: json.dumps({"messages": [{"role": f"r{n}"} for n in range(100_000)]})
    ),
    "100,000 empty messages": of(lambda: json.dumps(chat(*[{"role": "user", "content": ""}] * 90_000))),
    "90,000 tools": of(
        lambda: json.dumps(
            chat(USER, ANSWER, tools=[{"type": "function", "function": {"name": f"t{n}"}} for n in range(90_000)])
        )
    ),
    "60,000 calls and none answered": of(
        lambda: json.dumps(
            chat(USER, {"role": "assistant", "tool_calls": [{**CALL, "id": f"c{n}"} for n in range(60_000)]}, USER)
        )
    ),
    "20,000 calls and as many answers to others": of(
        lambda: json.dumps(
            chat(
                USER,
                {"role": "assistant", "tool_calls": [{**CALL, "id": f"c{n}"} for n in range(20_000)]},
                *[{"role": "tool", "tool_call_id": f"d{n}", "content": "x"} for n in range(20_000)],
                ANSWER,
            )
        )
    ),
    "a text of 31 MB with an emoji": of(lambda: '{"text": "' + "x" * 31_000_000 + '\U0001f600"}'),
    "a chat of 31 MB with an emoji": of(lambda: json.dumps(chat(USER, {**ANSWER, "content": "?" * 31_000_000 + "é"}))),
    "a line of 31 MB of quotes": of(lambda: '{"text": "' + '\\"' * 15_000_000 + '"}'),
    "a line of 31 MB of opening quotes": of(lambda: b'{"' * 15_000_000),
    "a line of 31 MB of backslashes": of(lambda: b'{"text": "' + b"\\" * 31_000_000),
    "a number of a million digits": of(lambda: '{"text": ' + "9" * 1_000_000 + "}"),
    "one line of 1 GB": lambda folder: _one_line(folder, 2**30 - 2**20),
    "one line that goes on after 1 GB": lambda folder: _one_line(folder, 2**30 + 2**20),
    "a hundred lines of 20 MB that are no rows": many(40, lambda n: b'{"a%d": "%s"}\n' % (n, b"x" * 20_000_000)),
    "two million blank lines": of(lambda: b"\n" * 2_000_000),
    "two million lines of spaces": of(lambda: b"  \n" * 2_000_000),
    "a million lines that are not JSON": of(lambda: b"{\n" * 2 + b'{"a": \n' * 1_000_000),
    "300,000 rows of one unknown key each": many(300_000, lambda n: {**GOOD, f"k{n}": 1}),
    "300,000 rows of one key that is left out": many(300_000, lambda n: {"prompt": "a", "completion": "b", f"k{n}": 1}),
    "300,000 rows of unknown roles": many(300_000, lambda n: chat({"role": f"role{n}", "content": "x"})),
    "300,000 rows of undeclared tools": many(300_000, lambda n: chat(USER, {**ANSWER, "name": f"n{n}"}, USER)),
    "300,000 rows of different formats": many(
        300_000, lambda n: GOOD if n % 2 else {"instruction": "a", "output": "b"}
    ),
    "300,000 duplicates": of(lambda: LINE * 300_000),
    "a million numbers": of(lambda: b"1\n" * 1_000_000),
    "control characters and bidirectional marks": of(lambda: '{"messages": "\\u202e\\u001b[31m\\u0000"}'),
    "a key of 20 MB": of(lambda: '{"' + "k" * 20_000_000 + '": 1}'),
    "a role of 20 MB": of(lambda: json.dumps(chat({"role": "r" * 20_000_000, "content": "x"}))),
    "null bytes": of(lambda: b"\0" * 20_000_000),
}


def _one_line(folder: Path, size: int) -> Path:
    """A line that takes no room on the disk."""
    path = file_of([b'{"text": "'], folder)
    with path.open("r+b") as file:
        file.truncate(size)
    return path
