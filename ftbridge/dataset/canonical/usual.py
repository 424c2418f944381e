"""Rows in one of the two usual spellings, which are told from their bytes, many at a time.

    {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}
    {"messages":[{"role":"user","content":"…"},{"role":"assistant","content":"…"}]}

Python writes the first, most other programs the second. An example has one such row in each: there is nothing else in
it, and no character is written in another way than it has to be.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from msgspec import Struct
from stringzilla import (  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no types
    count,
    find,
)

from ftbridge.dataset.canonical.example import Chat, Example


class Spelling(Struct, frozen=True):
    """What is around the texts of a row: before the first role, each content and each other role, and at the end.

    None of it can be in a text, where quotes have backslashes before them. `spaces` are for each message.
    """

    start: bytes
    content: bytes
    role: bytes
    end: bytes
    spaces: int


SPACED = Spelling(b'{"messages": [{"role": "', b'", "content": "', b'"}, {"role": "', b'"}]}\n', 4)
COMPACT = Spelling(b'{"messages":[{"role":"', b'","content":"', b'"},{"role":"', b'"}]}\n', 0)

# What other rows have: a character that need not be escaped, a quote after an escaped backslash, further keys.
SIGNS = (b"\\u", b"\\/", b'\\\\"', b'"weight"', b'"name"', b'"tool_calls"', b'"reasoning', b"null")


def spelling_of(raw: object) -> Spelling:
    """The usual spelling that a row may have."""
    return COMPACT if type(raw) is bytes and raw.startswith(COMPACT.start) else SPACED


def unusual(raws: Sequence[bytes], examples: Sequence[Example], spelling: Spelling) -> list[int]:
    """The indices of rows that are not in the usual `spelling`; each is a line, from which a valid example was read.

    A usual row has two quotes for "messages" and eight for each message, and a valid one never has fewer: a message
    without a text has a list of parts or of tool calls. So where there are as many in all rows together, there is no
    other key in any.
    """
    if type(examples[0]) is not Chat:
        return list(range(len(raws)))
    start, end = spelling.start, spelling.end
    apart = {index for index, raw in enumerate(raws) if not (raw.startswith(start) and raw.endswith(end))}
    everything = b"".join(raws)
    starts = list(accumulate(map(len, raws), initial=0))
    for sign in SIGNS:
        apart.update(rows_with(sign, everything, starts))
    sizes = [len(example.messages) for example in examples]  # type: ignore[union-attr]  # a file has one shape
    rest = everything if not apart else b"".join([raw for index, raw in enumerate(raws) if index not in apart])
    messages = sum(sizes) - sum(sizes[index] for index in apart)
    if not _is_usual(rest, len(raws) - len(apart), messages, spelling):
        rows = enumerate(zip(raws, sizes, strict=True))
        apart |= {index for index, (raw, size) in rows if not _is_usual(raw, 1, size, spelling)}
    return sorted(apart)


def rows_with(
    part: bytes, block: bytes, starts: Sequence[int], fits: Callable[[bytes, int], bool] | None = None
) -> Iterator[int]:
    """The index of each row that has `part` at a place in the block that fits.

    `starts` are where the rows begin, and the end of the last.
    """
    at = find(block, part)
    while at >= 0:
        if fits is None or fits(block, at):
            row = bisect_right(starts, at) - 1
            yield row
            at = find(block, part, starts[row + 1])
        else:
            at = find(block, part, at + 1)


def spaced(row: bytes) -> bytes:
    """Canonical JSON with the spaces of the usual spelling that has some: equal rows stay equal, others different."""
    if row.startswith(COMPACT.start):
        row = SPACED.start + row.removeprefix(COMPACT.start)
    return row.replace(COMPACT.content, SPACED.content).replace(COMPACT.role, SPACED.role)


def _is_usual(block: bytes, rows: int, messages: int, spelling: Spelling) -> bool:
    """Whether rows with so many messages, and none of the signs, have no other keys, and these in the usual order."""
    quotes = count(block, b'"') - count(block, b'\\"')
    return bool(
        quotes == 2 * rows + 8 * messages
        and count(block, spelling.content) == messages
        and count(block, spelling.role) == messages - rows
    )
