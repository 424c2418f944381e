"""Free text: how much of the expected text's wording the answer has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ftbridge.graders.grade import Grade
from ftbridge.graders.metrics.metric import GradedRow, Item, Metric, Sample, expected_text
from ftbridge.graders.similarity import library, similarity

_DETAILS = ("bleu", "rouge_1", "rouge_2", "rouge_l")


class Text(Metric):
    """chrF of the answer, from 0 to 1, with BLEU and ROUGE in its details.

    chrF and BLEU are sacrebleu's with its defaults, ROUGE is the F1 of rouge-score without stemming.
    """

    name: ClassVar[str] = "text"

    def grade(self, item: Item, sample: Sample) -> Grade:
        """The grade of one answer."""
        expected, answer = expected_text(item), sample["output_text"]
        chrf: float = library("sacrebleu").CHRF().sentence_score(answer, [expected]).score
        return Grade(score=chrf / 100, details={name: similarity(name)(answer, expected) for name in _DETAILS})

    def summarise(self, rows: Sequence[GradedRow]) -> dict[str, Any]:
        """chrF and BLEU of all rows as one corpus, from 0 to 1, with sacrebleu's signatures, and the means of ROUGE."""
        pairs = [(row.sample["output_text"], expected_text(row.item)) for row in rows if not row.grade.error]
        if not pairs:
            return {}
        answers, expected = map(list, zip(*pairs, strict=True))
        summary: dict[str, Any] = {}
        for name, metric in (("chrf", library("sacrebleu").CHRF()), ("bleu", library("sacrebleu").BLEU())):
            summary[name] = metric.corpus_score(answers, [expected]).score / 100
            summary[f"{name}_signature"] = str(metric.get_signature())
        details = [row.grade.details for row in rows if not row.grade.error]
        return {**{name: sum(of[name] for of in details) / len(details) for name in _DETAILS}, **summary}

    def check(self) -> None:
        """Raises `MissingExtra` without sacrebleu and rouge-score."""
        for name in _DETAILS:
            similarity(name)
