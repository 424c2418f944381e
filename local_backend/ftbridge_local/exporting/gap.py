"""What a chat template writes between two texts of a chat: its own text, and what it repeats of the chat's frame."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Literal, NamedTuple


class Tools(NamedTuple):
    """The definitions of the tools: each whole or as its function, as JSON with this indent, `between` two of them."""

    key: Literal["function"] | None
    indent: int | None
    between: str


class Special(NamedTuple):
    """A part of a gap that is not the template's own text: the system message, today's date in a format, the tools."""

    what: Literal["system", "date", "tools"]
    format: str = ""
    tools: Tools | None = None


Gap = tuple[str | Special, ...]


def common_beginning(gaps: Sequence[Gap]) -> Gap:
    """The beginning that all of them have."""
    common: list[str | Special] = []
    for parts in zip(*gaps, strict=False):
        texts = [part for part in parts if isinstance(part, str)]
        if len(set(parts)) == 1:
            common.append(parts[0])
            continue
        if len(texts) == len(parts):
            columns = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
            common.append("".join(letters[0] for letters in columns))
        break
    return tuple(part for part in common if part)


def after(gap: Gap, beginning: Gap) -> Gap:
    """The gap without its beginning, of which only the last text may be a part of one."""
    rest = list(gap[len(beginning) :])
    if beginning and gap[len(beginning) - 1] != beginning[-1]:
        part, cut = gap[len(beginning) - 1], beginning[-1]
        assert isinstance(part, str)
        assert isinstance(cut, str)
        rest.insert(0, part.removeprefix(cut))
    return tuple(rest)


def mirrored(gap: Gap) -> Gap:
    """The gap as it is read backwards."""
    return tuple(part[::-1] if isinstance(part, str) else part for part in reversed(gap))
