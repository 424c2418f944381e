"""Warning of the messages that a block adds to a job's events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ftbridge.context import Context
from ftbridge.ledger import last_numbers


@contextmanager
def warn_of_messages(context: Context, job_id: str) -> Iterator[None]:
    """Warn of each message that the block adds to the job's events."""
    [last] = last_numbers(context.ledger, [job_id]).values()
    try:
        yield
    finally:
        warn_of_messages_after(context, job_id, last)


def warn_of_messages_after(context: Context, job_id: str, after: int) -> None:
    """Warn of each message among the job's events after that number."""
    for _number, event in context.ledger.events(job_id, after):
        if event.kind == "message" and event.message:
            context.warn(event.message)
