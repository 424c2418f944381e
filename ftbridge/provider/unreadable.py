"""Reading answers that may hold anything: what cannot be read stops neither the other items nor the other jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import msgspec

from ftbridge.errors import BadAnswer, NotFound, ProviderError, ServerTrouble
from ftbridge.foreign.values import json_of
from ftbridge.provider.paging import unfinished
from ftbridge.provider.remote import RemoteJob

T = TypeVar("T")
R = TypeVar("R")

UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What code that reads an answer raises where a value is not what it should be; pydantic and msgspec's included."""


@contextmanager
def reading(provider: str, what: str = "an answer") -> Iterator[None]:
    """Raise `BadAnswer` for what the code in the block raises because a value is not what it should be."""
    try:
        yield
    except UNREADABLE as problem:
        raise BadAnswer(
            f"{provider} sent {what} that cannot be read: {reason(problem)}",
            provider=provider,
            hint="The others are read all the same. If it stays so, update ftbridge or ask the provider.",
        ) from problem


def guarded(provider: str, what: str, make: Callable[[], Iterable[T]]) -> Iterator[T]:
    """The items that `make` returns; a value that is not what it should be raises `BadAnswer`, as in `reading`."""
    with reading(provider, what):
        yield from make()


def readable(items: Iterable[T], read: Callable[[T], R]) -> Iterator[R]:
    """What `read` makes of each item; those that cannot be read are left out."""
    for item in items:
        with suppress(*UNREADABLE):
            yield read(item)


def whole_list(provider: str, items: Iterable[T], read: Callable[[T], R]) -> Iterator[R]:
    """What `read` makes of each job in a list. Raises `ListingUnfinished`, after the others, where it cannot read one.

    That may be any job, so the list proves no job absent.
    """
    why = ""
    with reading(provider, "a list"):
        for item in items:
            try:
                yield read(item)
            except UNREADABLE as problem:
                why = why or f"one of its jobs cannot be read: {reason(problem)}"
    if why:
        raise unfinished(provider, why)


def read_each(remote_ids: Iterable[str], read: Callable[[str], RemoteJob]) -> Iterator[RemoteJob]:
    """Each job by a request of its own, without those that the vendor does not know.

    Raises what the vendor answers about one of them, `BadAnswer` or `ServerTrouble`, after the others.
    """
    trouble: ProviderError | None = None
    for remote_id in remote_ids:
        try:
            yield job_or_unreadable(remote_id, partial(read, remote_id))
        except NotFound:
            continue
        except (BadAnswer, ServerTrouble) as problem:
            trouble = trouble or problem
    if trouble:
        raise trouble


def job_or_unreadable(remote_id: str, read: Callable[[], RemoteJob]) -> RemoteJob:
    """The job that `read` returns, or one that says that it cannot be read."""
    try:
        return read()
    except UNREADABLE as problem:
        return RemoteJob.unreadable(remote_id, f"what the vendor says about the job cannot be read: {reason(problem)}")


def decode_json(content: bytes, into: Any) -> Any:
    """JSON as the type `into`, also with lone surrogates, NUL, NaN and bytes that are not UTF-8, which are replaced.

    Raises one of `UNREADABLE`.
    """
    try:
        return msgspec.json.decode(content, type=into)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.convert(json_of(json.loads(content.decode("utf-8", "replace"))), into)


def reason(problem: BaseException) -> str:
    """The first line of an exception, with its class where that says more."""
    first = (str(problem).splitlines() or [""])[0]
    return f"{type(problem).__name__}: {first}"[:200]
