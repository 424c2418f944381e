"""The chats that a verification asks about: a job's own rows, or those of a file, each up to its last answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import structs

from ftbridge.context import Context
from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat, Example, Preference
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.given import Given, given
from ftbridge.errors import UsageError
from ftbridge.model import Job

_FILE = "Give chats to ask about: --rows FILE."


def questions_of(
    context: Context, job: Job, rows: Given | None, limit: int, columns: Mapping[str, str] | None = None
) -> dict[int, Chat]:
    """The first `limit` questions by their lines: of `rows`, or of the job's validation or training file.

    Raises `UsageError` where neither is here any more, or no row has a question.
    """
    format = None  # noqa: A001 - the word users know
    if rows is None:
        kept = [file for file in (job.spec.validation, job.spec.data) if file is not None]
        rows = next((file for file in kept if Path(file).is_file()), None)
        if rows is None:
            raise UsageError(f"the rows of {job.id} are not on this machine any more", hint=_FILE)
        format, columns = job.spec.format, job.spec.map  # noqa: A001 - likewise
    with given(rows, context.home, columns) as read:
        found = dict(_first(read, limit, format))
    if not found:
        raise UsageError(f"{rows if isinstance(rows, str | Path) else 'the rows'} has no chat to ask about", hint=_FILE)
    return found


def _first(data: Data, limit: int, format: str | None) -> Iterator[tuple[int, Chat]]:  # noqa: A002 - likewise
    count = 0
    for line, example in read_examples(data, format=format):
        if (chat := question(example)) is None:
            continue
        yield line, chat
        count += 1
        if count == limit:
            return


def question(example: Example) -> Chat | None:
    """The chat up to the last answer, which is asked for again; None for a text, which asks nothing."""
    if isinstance(example, Preference):
        return Chat(messages=example.input.messages, tools=example.input.tools)
    if not isinstance(example, Chat):
        return None
    messages = [*example.messages]
    while messages and isinstance(messages[-1], Assistant):
        messages.pop()
    return structs.replace(example, messages=messages) if messages else None
