"""How a stub vendor misbehaves: plain data that a test sets, each field independent of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Literal, TypeAlias

Body: TypeAlias = Literal[
    "plausible", "html", "empty", "truncated", "aborted", "odd", "empty object", "null", "empty list"
]
"""`truncated` is half a document as a whole answer; `aborted` is an answer whose connection breaks in its midst."""
Endless: TypeAlias = Literal["", "cursor ignored", "alternating"]


@dataclass
class Mishap:
    """What becomes of the next `times` requests that change something, a create, a start or a cancel.

    `done` tells whether the vendor does what was asked. It begins with that after `seconds`, or once
    `Vendor.hurry` is set. With `cut` the connection ends without an answer.
    """

    done: bool = True
    status: int = 200
    body: Body = "plausible"
    cut: bool = False
    seconds: float = 0.0
    times: float = 1
    retry_after: str = ""


@dataclass
class Listing:
    """How the listing of jobs misbehaves, for the next `calls` requests for a page."""

    calls: float = inf
    lag_seconds: float = 0.0
    """A new job stays out of the listing for so long, by the machine's monotonic clock."""
    lag_calls: int = 0
    """A new job stays out of so many answers."""
    refused: int = 0
    """The status of the refusal; 0 is none."""
    retry_after: str = ""
    shifted: bool = False
    """A colleague's new job appears between two requests, and what was last on one page is first on the next."""
    twice: bool = False
    """Each row comes twice on its page."""
    empty_first: bool = False
    """The first page has no rows and says that there are more."""
    null_data: bool = False
    endless_total: bool = False
    """The total is more than all pages hold together, where the vendor tells one."""
    cursor_ignored: bool = False
    """The first page comes again and again, and says that there are more."""
    alternating: bool = False
    """Two pages come in turn for ever."""
    filter_ignored: bool = False
    stripped: Literal["", "metadata", "all"] = ""
    """What the vendor has lost of its jobs' labels: the metadata, or the suffix as well."""


@dataclass
class Conduct:
    """All of it; as it is made, the vendor behaves well."""

    creates: list[Mishap] = field(default_factory=list)
    starts: list[Mishap] = field(default_factory=list)
    cancels: list[Mishap] = field(default_factory=list)
    listing: Listing = field(default_factory=Listing)
    events: Endless = ""
    files: Endless = ""


WELL = Mishap()


def next_mishap(mishaps: list[Mishap]) -> Mishap:
    """The mishap of this request, which is used up by it."""
    while mishaps and mishaps[0].times < 1:
        mishaps.pop(0)
    if not mishaps:
        return WELL
    mishaps[0].times -= 1
    return mishaps[0]
