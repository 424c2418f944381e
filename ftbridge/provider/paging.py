"""Listings read to their end: each item once, however the pages shift, and never for ever.

A vendor's list is no proof that something is absent while it may hold more than was read. So a listing that breaks
off, repeats itself or holds fewer items than it says is not taken for a short one: it raises `ListingUnfinished`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from ftbridge.errors import ListingUnfinished

MOST_PAGES = 100_000
"""After so many pages a vendor makes them up: no account has ten million jobs."""


class Identified(Protocol):
    """Something that a vendor knows by an id."""

    @property
    def id(self) -> str:
        """The vendor's id of it."""
        ...


T = TypeVar("T", bound=Identified)


def by_cursor(provider: str, page_after: Callable[[str], Any]) -> Iterator[Any]:
    """Every item of a listing whose pages follow the id of the last item, each page when it is needed.

    `page_after` gets that id, "" for the first page, and returns an object with `data` and `has_more`. Raises
    `ListingUnfinished` where the vendor says that there is more and gives nothing new.
    """
    after, seen = "", set[str]()
    for _page in range(MOST_PAGES):
        page = page_after(after)
        new = list(_unseen(page.data, seen))
        yield from new
        if not page.has_more:
            return
        if not new:
            break
        after = page.data[-1].id
    raise unfinished(provider, "it says that there is more, and gives nothing new")


def by_number(provider: str, page_of: Callable[[int], Any]) -> Iterator[Any]:
    """Every item of a listing whose pages are counted from 0, each page when it is needed.

    `page_of` returns an object with `data` and `total`. Raises `ListingUnfinished` where the pages end before as
    many items as `total` says were seen: some may stand on a page that was read before they moved to it.
    """
    seen = set[str]()
    for number in range(MOST_PAGES):
        page = page_of(number)
        new = list(_unseen(page.data, seen))
        yield from new
        if len(seen) >= page.total:
            return
        if not new:
            raise unfinished(provider, f"it has shown {len(seen)} of the {page.total} that it says there are")
    raise unfinished(provider, "it does not end")


def as_far_as_listed(items: Iterable[T]) -> Iterator[T]:
    """The items of a listing up to where it breaks off: for looking something up, not for proving it absent."""
    try:
        yield from items
    except ListingUnfinished:
        return


def matching(items: Iterable[T], wanted: Callable[[T], bool]) -> list[T]:
    """Those items of a listing that are wanted. Raises `ListingUnfinished` only where it found none."""
    found: list[T] = []
    try:
        found.extend(item for item in items if wanted(item))
    except ListingUnfinished:
        if not found:
            raise
    return found


def once(items: Iterable[T]) -> Iterator[T]:
    """Each item once, by its id, in the order in which they come."""
    return _unseen(items, set())


def unfinished(provider: str, why: str) -> ListingUnfinished:
    """The error for a listing that breaks off."""
    return ListingUnfinished(
        f"{provider}'s list is not whole: {why}",
        provider=provider,
        hint="What is not in it may be there all the same. Try again later; a proxy or gateway may stand between.",
    )


def _unseen(items: Iterable[Any], seen: set[str]) -> Iterator[Any]:
    for item in items:
        if item.id not in seen:
            seen.add(item.id)
            yield item
