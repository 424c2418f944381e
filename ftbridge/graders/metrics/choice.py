"""Which metric fits the rows, where nobody says."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from itertools import islice

from ftbridge.graders.metrics.metric import Item, expected_message
from ftbridge.graders.metrics.values import parsed
from ftbridge.graders.sample import text_of_content
from ftbridge.model import Frozen

_LOOKED_AT = 1000  # rows
_LONGEST_LABEL = 60  # characters
_WORDS_OF_TEXT = 12
_MOST_LABELS = 50


class Choice(Frozen):
    """The name of a built-in metric, and why it was chosen."""

    metric: str
    reason: str


def choose_metric(rows: Iterable[Item]) -> Choice:
    """The metric for rows like these, by the answers that the first of them expect.

    Raises `RowProblem` for a row that expects none.
    """
    messages = [expected_message(row) for row in islice(rows, _LOOKED_AT)]
    if any(message.get("tool_calls") for message in messages):
        return Choice(metric="tools", reason="some of the expected answers call tools")
    texts = [text_of_content(message.get("content")).strip() for message in messages]
    if texts and all(map(_is_structure, texts)):
        return Choice(metric="json", reason="every expected answer is a JSON object or list")
    labels = {text.casefold() for text in texts}
    if _are_labels(texts, len(labels)):
        return Choice(metric="label", reason=f"the expected answers are {len(labels)} short texts that recur")
    if texts and statistics.median(len(text.split()) for text in texts) > _WORDS_OF_TEXT:
        return Choice(metric="text", reason=f"half of the expected answers have more than {_WORDS_OF_TEXT} words")
    return Choice(metric="exact", reason="the expected answers are short, and not a few labels")


def _are_labels(texts: list[str], distinct: int) -> bool:
    """Each label occurs twice at least, on average, so that counts by label say something."""
    short = all(0 < len(text) <= _LONGEST_LABEL and "\n" not in text for text in texts)
    return short and distinct <= _MOST_LABELS and 2 * distinct <= len(texts)


def _is_structure(text: str) -> bool:
    try:
        return isinstance(parsed(text), dict | list)
    except ValueError:
        return False
