"""Listings are read to their end, each item once; one that has none is told from one that is short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, islice
from types import SimpleNamespace

import pytest

from ftbridge.errors import ListingUnfinished
from ftbridge.provider.paging import as_far_as_listed, by_cursor, by_number


def page(*ids: str, more: bool = False, total: int = 0) -> SimpleNamespace:
    return SimpleNamespace(data=[SimpleNamespace(id=name) for name in ids], has_more=more, total=total)


def after(pages: dict[str, SimpleNamespace]) -> Callable[[str], SimpleNamespace]:
    return pages.__getitem__


def names(items: Iterator[SimpleNamespace]) -> list[str]:
    return [item.id for item in items]


def test_pages_follow_each_other_by_the_last_id() -> None:
    pages = {"": page("c", "b", more=True), "b": page("a")}
    assert names(by_cursor("v", after(pages))) == ["c", "b", "a"]


def test_an_item_on_two_pages_is_one() -> None:
    pages = {"": page("c", "b", more=True), "b": page("b", "a")}
    assert names(by_cursor("v", after(pages))) == ["c", "b", "a"]


@pytest.mark.parametrize(
    "pages",
    [
        {"": page("b", "a", more=True), "a": page(more=True)},
        {"": page(more=True)},
        {"": page("b", "a", more=True), "a": page("b", "a", more=True)},
        {"": page("c", more=True), "c": page("b", more=True), "b": page("c", more=True)},
    ],
    ids=["an empty page that says there is more", "nothing at all", "an ignored cursor", "two pages in turn"],
)
def test_a_list_that_says_there_is_more_and_gives_nothing_new_is_unfinished(pages: dict[str, SimpleNamespace]) -> None:
    with pytest.raises(ListingUnfinished, match="says that there is more"):
        names(by_cursor("v", after(pages)))
    assert len(names(as_far_as_listed(by_cursor("v", after(pages))))) <= 2


def test_a_list_by_numbers_ends_when_all_are_seen() -> None:
    pages = [page("c", "b", total=3), page("a", total=3)]
    assert names(by_number("v", pages.__getitem__)) == ["c", "b", "a"]
    assert names(by_number("v", lambda _number: page(total=0))) == []


def test_a_list_by_numbers_that_shifted_is_unfinished() -> None:
    pages = [page("c", "b", total=3), page("b", "a", total=4), page(total=4)]
    with pytest.raises(ListingUnfinished, match="3 of 4"):
        names(by_number("v", pages.__getitem__))


def test_no_page_is_asked_for_before_it_is_needed() -> None:
    numbers = count()
    items = by_cursor("v", lambda _after: page(f"job-{next(numbers)}", more=True))
    assert names(islice(items, 3)) == ["job-0", "job-1", "job-2"]
    assert next(numbers) == 3
