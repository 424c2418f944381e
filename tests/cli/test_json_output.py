"""What --json and --csv print reaches a terminal without a character that could control it, and means the same."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ftbridge.cli.output import print_csv, print_error, print_json
from ftbridge.errors import UsageError

HOSTILE = {
    "escape sequence": "\x1b[2J",
    "C1 control": "\x9b2J",
    "next line": "a\x85b",
    "delete": "\x7f",
    "right to left": "\u202egnp.exe",
    "isolate": "\u2066a\u2069",
    "no width": "a\u200bb",
    "byte-order mark": "\ufeffa",
    "line separator": "a\u2028b",
    "half an emoji": "\ud83d",
    "the other half": "\ude00",
    "tag": "\U000e0041",
    "private use": "\U0010fffd",
    "NUL": "\0",
}


ENCODINGS = ["utf-8", "ascii", "latin-1"]


def printed(print_it: Callable[[], None], monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> str:
    """What is written to a standard output of that encoding."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    with monkeypatch.context() as changed:
        changed.setattr(sys, "stdout", stream)
        print_it()
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("what", HOSTILE)
def test_json_is_printable_and_means_the_same(monkeypatch: pytest.MonkeyPatch, what: str, encoding: str) -> None:
    document = {HOSTILE[what]: [HOSTILE[what], {"name": f"a{HOSTILE[what]}b"}]}
    text = printed(lambda: print_json(document), monkeypatch, encoding)
    assert text.removesuffix("\n").isprintable()
    assert json.loads(text) == document


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("what", HOSTILE)
def test_an_error_as_json_is_printable(monkeypatch: pytest.MonkeyPatch, what: str, encoding: str) -> None:
    error = UsageError(HOSTILE[what], hint=HOSTILE[what])
    text = printed(lambda: print_error(error, as_json=True), monkeypatch, encoding)
    assert text.removesuffix("\n").isprintable()
    assert json.loads(text)["error"]["message"] == HOSTILE[what]


def test_letters_and_emoji_stay_readable_where_the_terminal_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(lambda: print_json({"name": "Grüße 日本 😀"}), monkeypatch) == '{"name": "Grüße 日本 😀"}\n'


@pytest.mark.parametrize("what", HOSTILE)
def test_csv_is_printable(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    rows: list[dict[str, Any]] = [{"name": HOSTILE[what], "usd": 0.1 + 0.2}, {"name": "two\nlines", "usd": None}]
    first, *rest = printed(lambda: print_csv(["name", "usd"], rows), monkeypatch).splitlines()
    assert first == "name,usd"
    assert all(line.isprintable() for line in rest)
    assert rest[0].endswith(",0.3")
