"""Classification: the answer is one of a few labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from ftbridge.graders.grade import Grade
from ftbridge.graders.metrics.metric import GradedRow, Item, Metric, Sample, expected_text


class Label(Metric):
    """1 where the answer is the expected label, else 0.

    White space and case do not count; `details.differs_in` tells where only they differ.
    """

    name: ClassVar[str] = "label"

    def grade(self, item: Item, sample: Sample) -> Grade:
        """The grade of one answer."""
        expected, answer = expected_text(item), sample["output_text"]
        passed = _key(expected) == _key(answer)
        details = {"expected": expected.strip(), "answer": answer.strip()}
        if passed and expected != answer:
            details["differs_in"] = "white space" if _spaced(expected) == _spaced(answer) else "case"
        return Grade(score=float(passed), passed=passed, details=details)

    def summarise(self, rows: Sequence[GradedRow]) -> dict[str, Any]:
        """Accuracy, and for each label precision, recall, F1 and how often it is expected; who is taken for whom.

        `macro` are the means over all labels that are expected or answered, and 0 / 0 counts as 0, as in scikit-learn.
        """
        pairs = [(row.grade.details["expected"], row.grade.details["answer"]) for row in rows if not row.grade.error]
        if not pairs:
            return {}
        spelling: dict[str, str] = {}
        for label in (*(expected for expected, _ in pairs), *(answer for _, answer in pairs)):
            spelling.setdefault(_key(label), label)
        counts = Counter((_key(expected), _key(answer)) for expected, answer in pairs)
        labels = {label: _scores(label, counts) for label in sorted(spelling)}
        confusion: dict[str, dict[str, int]] = {}
        for (expected, answer), number in sorted(counts.items()):
            confusion.setdefault(spelling[expected], {})[spelling[answer]] = number
        differences = Counter(row.grade.details["differs_in"] for row in rows if "differs_in" in row.grade.details)
        return {
            "accuracy": sum(number for (expected, answer), number in counts.items() if expected == answer) / len(pairs),
            "macro": {
                name: sum(scores[name] for scores in labels.values()) / len(labels)
                for name in ("precision", "recall", "f1")
            },
            "labels": {spelling[label]: scores for label, scores in labels.items()},
            "confusion": confusion,
            "differs_in": dict(differences),
        }


def _scores(label: str, counts: Counter[tuple[str, str]]) -> dict[str, float]:
    correct = counts[label, label]
    expected = sum(number for (one, _), number in counts.items() if one == label)
    answered = sum(number for (_, one), number in counts.items() if one == label)
    return {
        "precision": correct / answered if answered else 0.0,
        "recall": correct / expected if expected else 0.0,
        "f1": 2 * correct / (expected + answered),
        "support": expected,
    }


def _spaced(label: str) -> str:
    return " ".join(label.split())


def _key(label: str) -> str:
    return _spaced(label).casefold()
