"""The labels of an evaluation for people: how well each is told, and which one is taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftbridge.cli.output import console, fits, print_line, print_sentence, table
from ftbridge.wording import counted, printable

if TYPE_CHECKING:
    from ftbridge.evaluation.results import Evaluation

_LONGEST = 24  # characters of a label
_OTHER = "other answers"
_MOST_CONFUSIONS = 10


def print_labels(evaluation: Evaluation) -> None:
    """Precision, recall and F1 of each expected label for the tuned model, and its confusions."""
    for metric in evaluation.metrics:
        found = evaluation.models[0].scores.get(metric.name)
        if found and "labels" in found.summary and "confusion" in found.summary:
            _print_scores(found.summary["labels"])
            _print_confusion(found.summary["labels"], found.summary["confusion"])


def _print_scores(labels: Mapping[str, Mapping[str, float]]) -> None:
    rows = [
        [_short(label), *(f"{of[name]:.1%}" for name in ("precision", "recall", "f1")), f"{of['support']:g}"]
        for label, of in labels.items()
        if of["support"]
    ]
    console().print(table(["label", "precision", "recall", "F1", "rows"], rows, right=(1, 2, 3, 4)))


def _print_confusion(labels: Mapping[str, Any], confusion: Mapping[str, Mapping[str, int]]) -> None:
    """A table of expected labels by answers, numbered; where it is too wide, the most frequent confusions."""
    expected = [label for label, of in labels.items() if of["support"]]
    columns = [*expected, *[_OTHER] * any(answer not in expected for of in confusion.values() for answer in of)]
    headers = ["expected, and answered:", *(f"{number}" for number in range(1, len(columns) + 1))]
    rows = [
        [f"{number} {_short(label)}", *_counts(confusion.get(label, {}), expected, columns)]
        for number, label in enumerate(expected, 1)
    ]
    if not fits(headers, rows):
        _print_most_frequent(confusion)
        return
    console().print(table(headers, rows, right=range(1, len(headers))))
    if _OTHER in columns:
        print_line(f"{len(columns)} stands for {_OTHER}.")


def _counts(answers: Mapping[str, int], expected: Sequence[str], columns: Sequence[str]) -> list[str]:
    counts = dict.fromkeys(columns, 0)
    for answer, count in answers.items():
        counts[answer if answer in expected else _OTHER] += count
    return [f"{count}" if count else "·" for count in counts.values()]


def _print_most_frequent(confusion: Mapping[str, Mapping[str, int]]) -> None:
    wrong = [
        (count, expected, answer)
        for expected, answers in confusion.items()
        for answer, count in answers.items()
        if answer != expected
    ]
    for count, expected, answer in sorted(wrong, reverse=True)[:_MOST_CONFUSIONS]:
        print_sentence(f"'{_short(expected)}' was answered with '{_short(answer)}' in {counted(count, 'row')}.")


def _short(label: str) -> str:
    return printable(label or "(nothing)", _LONGEST)
