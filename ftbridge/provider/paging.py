"""Listings read to their end: each item once, even where pages shift, and never without an end.

A list proves that something is absent only if it was read whole. So a listing that breaks off, repeats itself or has
fewer items than it says raises `ListingUnfinished`, and is not taken for a short one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from ftbridge.errors import ListingUnfinished, NotFound
from ftbridge.foreign.values import text_of

MOST_PAGES = 100_000
"""A listing with more pages does not end: no account has ten million jobs."""


class Identified(Protocol):
    """Something that a vendor knows by an id."""

    @property
    def id(self) -> str:
        """The vendor's id of it."""
        ...


T = TypeVar("T")
WithId = TypeVar("WithId", bound=Identified)


def by_cursor(provider: str, page_after: Callable[[str], Any]) -> Iterator[Any]:
    """Every item of a listing whose pages follow the id of the last item; each page is requested when needed.

    `page_after` gets that id, "" for the first page, and returns an object with `data` and `has_more`. Raises
    `ListingUnfinished` where the vendor says that there is more and sends nothing new.
    """
    after, seen = "", set[str]()
    for _page in range(MOST_PAGES):
        page = page_after(after)
        new = list(_unseen(page.data, seen))
        yield from new
        if not page.has_more:
            return
        last = next(filter(None, map(_id_of, reversed(page.data))), "")
        if not new or not last:
            break
        after = last
    raise unfinished(provider, "it says that there is more, and sends nothing new")


def by_number(provider: str, page_of: Callable[[int], Any]) -> Iterator[Any]:
    """Every item of a listing whose pages are numbered from 0; each page is requested when needed.

    `page_of` returns an object with `data` and `total`. Raises `ListingUnfinished` where the pages end before `total`
    items were seen: an item may have moved to a page that had been read already.
    """
    seen = set[str]()
    for number in range(MOST_PAGES):
        page = page_of(number)
        new = list(_unseen(page.data, seen))
        yield from new
        if len(seen) >= page.total:
            return
        if not new:
            raise unfinished(provider, f"it has sent {len(seen)} of {page.total} items")
    raise unfinished(provider, "it does not end")


def as_far_as_listed(items: Iterable[T]) -> Iterator[T]:
    """The items of a listing up to where it breaks off: to look something up, not to prove that it is absent."""
    try:
        yield from items
    except ListingUnfinished:
        return


def matching(items: Iterable[T], wanted: Callable[[T], bool]) -> list[T]:
    """The items of a listing that are wanted. Raises `ListingUnfinished` only where there is none."""
    found: list[T] = []
    try:
        found.extend(item for item in items if wanted(item))
    except ListingUnfinished:
        if not found:
            raise
    return found


def first(items: Iterable[T], wanted: Callable[[T], bool], provider: str, what: str) -> T:
    """The first such item of a vendor's list of jobs. Raises `NotFound`, which says what is missing: `what`."""
    for item in items:
        if wanted(item):
            return item
    hint = "It may be deleted, or another account's: `ftbridge submit DATA --to TARGET` trains its data anew."
    raise NotFound(f"{provider} lists no {what}", provider=provider, hint=hint)


def once(items: Iterable[WithId]) -> Iterator[WithId]:
    """Each item once, by its id, in order."""
    return _unseen(items, set())


def unfinished(provider: str, why: str) -> ListingUnfinished:
    """The error for a listing that breaks off."""
    return ListingUnfinished(
        f"{provider}'s list is not complete: {why}",
        provider=provider,
        hint="What is missing from it may exist all the same. Try again later, and check for a proxy or gateway.",
    )


def _unseen(items: Iterable[Any], seen: set[str]) -> Iterator[Any]:
    """The items that are new. Null is no item; one without an id is left to the reader, who cannot read it."""
    for item in items:
        item_id = _id_of(item)
        if item is not None and item_id not in seen:
            if item_id:
                seen.add(item_id)
            yield item


def _id_of(item: Any) -> str:
    return text_of(getattr(item, "id", None)) or ""
