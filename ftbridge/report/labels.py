"""How well each label is told, and which one is taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ftbridge.evaluation.results import Evaluation
from ftbridge.wording import printable

_MOST_LABELS, _MOST_COLUMNS = 60, 12
_SHADES = 5
_OTHER = "other answers"
_MISSING = "(nothing)"


class LabelRow(NamedTuple):
    """A label with precision, recall and F1, and how many rows expect it."""

    label: str
    precision: str
    recall: str
    f1: str
    rows: int


class Cell(NamedTuple):
    """So many `rows`; `shade` from 0 to 5 is the share of the rows with that label."""

    rows: int
    shade: int
    right: bool


class Confusion(NamedTuple):
    """Expected labels by answers; of `rows`, each has its label and its cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


class Labels(NamedTuple):
    """Both tables; no confusion table where there are too many labels."""

    rows: tuple[LabelRow, ...]
    confusion: Confusion | None


def labels_of(evaluation: Evaluation) -> Labels | None:
    """Those of the tuned model; None where the answers are no labels."""
    found = next((one.summary for one in evaluation.models[0].scores.values() if "confusion" in one.summary), None)
    if not found or not found.get("labels"):
        return None
    expected = {label: of for label, of in found["labels"].items() if of["support"]}
    worst_first = sorted(expected.items(), key=lambda one: one[1]["recall"])
    rows = tuple(_row(label, of) for label, of in worst_first[:_MOST_LABELS])
    return Labels(rows, _confusion([*expected], found["confusion"]) if len(expected) <= _MOST_COLUMNS else None)


def _row(label: str, of: Mapping[str, float]) -> LabelRow:
    precision, recall, f1 = (f"{of[name]:.0%}" for name in ("precision", "recall", "f1"))
    return LabelRow(label or _MISSING, precision, recall, f1, int(of["support"]))


def _short(label: str) -> str:
    return printable(label or _MISSING)


def _confusion(labels: Sequence[str], counts: Mapping[str, Mapping[str, int]]) -> Confusion:
    others = any(answer not in labels for of in counts.values() for answer in of)
    columns = [*labels, *[_OTHER] * others]
    rows = tuple((_short(label), tuple(_cells(label, columns, labels, counts.get(label, {})))) for label in labels)
    return Confusion(tuple(map(_short, columns)), rows)


def _cells(label: str, columns: Sequence[str], labels: Sequence[str], answers: Mapping[str, int]) -> list[Cell]:
    found: dict[str, Any] = dict.fromkeys(columns, 0)
    for answer, count in answers.items():
        found[answer if answer in labels else _OTHER] += count
    total = sum(found.values()) or 1
    return [Cell(count, -(-_SHADES * count // total), column == label) for column, count in found.items()]
