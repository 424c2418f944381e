"""Running the blocks of a page as a reader would: from top to bottom, in one folder with one home."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)```", re.DOTALL)
_HEX = re.compile(r"\bftb_[0-9a-f]+")


class Block(NamedTuple):
    """A block of code: its language, its text, and the mark above it, such as `file: rows.jsonl`."""

    language: str
    text: str
    mark: str
    line: int


class Step(NamedTuple):
    """A command of a console block, without its comment, and the lines that it prints."""

    command: str
    shown: list[str]
    line: int


def blocks_of(markdown: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for match in _FENCE.finditer(markdown):
        line = markdown.count("\n", 0, match.start("text"))
        yield Block(match["language"], match["text"], match["mark"] or "", line)


def steps_of(block: Block) -> Iterator[Step]:
    """The commands of a console block; one that ends with a backslash goes on in the next line."""
    command, shown, at = "", list[str](), 0
    for number, line in enumerate(block.text.splitlines(), start=block.line + 1):
        if line.startswith("$ "):
            if command:
                yield Step(command, shown, at)
            command, shown, at = _without_comment(line[2:]), [], number
        elif command.endswith("\\"):
            command = command[:-1] + line.strip()
        else:
            shown.append(line)
    if command:
        yield Step(command, shown, at)


def differs(shown: list[str], printed: str) -> str | None:
    """Where what a page shows is not what is printed: the first line shown that is not found in order, or None.

    A `…` in a line stands for any characters, a line of it alone for any lines. A block without output shows nothing.
    """
    if not shown:
        return None
    lines = [line.rstrip() for line in printed.splitlines()]
    at, skipping = 0, False
    for line in shown:
        if line.strip() == "…":
            skipping = True
            continue
        found = range(at, len(lines)) if skipping else range(at, min(at + 1, len(lines)))
        at = next((index + 1 for index in found if _alike(line.rstrip(), lines[index])), -1)
        if at < 0:
            return line
        skipping = False
    return None if skipping or at == len(lines) else f"and then: {lines[at]}"


def words_of(command: str) -> list[str]:
    """The words of a command, as a shell splits them."""
    return shlex.split(command)


def _alike(shown: str, printed: str) -> bool:
    pattern = ".*".join(map(re.escape, _HEX.sub("ftb_…", shown).split("…")))
    return re.fullmatch(pattern, _HEX.sub("ftb_", printed)) is not None


def _without_comment(line: str) -> str:
    return re.sub(r"\s{2,}#.*$", "", line).rstrip()
