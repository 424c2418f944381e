"""Free text: how much of the expected text's wording the answer has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ftbridge.graders.grade import Grade
from ftbridge.graders.metrics.metric import GradedRow, Item, Metric, Sample, expected_text
from ftbridge.graders.similarity import library, rouge_scorer, similarity

_ROUGE = ("rouge1", "rouge2", "rougeL")


class Text(Metric):
    """chrF of the answer, from 0 to 1, with BLEU and ROUGE in its details.

    chrF and BLEU are sacrebleu's with its defaults, ROUGE is the F1 of rouge-score without stemming.
    """

    name: ClassVar[str] = "text"

    def grade(self, item: Item, sample: Sample) -> Grade:
        """The grade of one answer."""
        expected, answer = expected_text(item), sample["output_text"]
        chrf: float = library("sacrebleu").CHRF().sentence_score(answer, [expected]).score
        rouge = rouge_scorer(*_ROUGE).score(expected, answer)
        details = {"bleu": similarity("bleu")(answer, expected), **{kind: rouge[kind].fmeasure for kind in _ROUGE}}
        return Grade(score=chrf / 100, details=details)

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
        grades = [row.grade for row in rows if not row.grade.error]
        return {**summary, **{kind: sum(grade.details[kind] for grade in grades) / len(grades) for kind in _ROUGE}}

    def check(self) -> None:
        """Raises `MissingExtra` without sacrebleu and rouge-score."""
        library("sacrebleu")
        rouge_scorer(*_ROUGE)
