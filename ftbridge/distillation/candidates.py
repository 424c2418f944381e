"""The answers as rows that may be kept, with their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ftbridge.answers import Answer
from ftbridge.dataset.canonical.example import Chat
from ftbridge.distillation.grading import mark_all
from ftbridge.distillation.questions import Question
from ftbridge.distillation.rows import Reasoning, Rejected, as_row, said_in
from ftbridge.distillation.sampling import Sample
from ftbridge.graders import Grader, GradingContext, Metric


class Candidate(NamedTuple):
    """One answer, given `at` a time, with the number of its sample: the `row` that it makes, or why it is none."""

    question: Question
    sample: int
    answer: Answer
    at: str | None
    row: Chat | Rejected
    score: float | None = None

    def rejected(self, because: Rejected) -> Candidate:
        """The same, but no row."""
        return self._replace(row=because)


def candidates_of(questions: Sequence[Question], samples: Sequence[Sample], reasoning: Reasoning) -> list[Candidate]:
    """All answers, those of a question one after the other."""
    return [
        Candidate(question, number, sample.answers[index], sample.times[index], row)
        for index, question in enumerate(questions)
        for number, sample in enumerate(samples)
        for row in [as_row(question, sample.answers[index], reasoning)]
    ]


def scored(scorer: Grader | Metric, candidates: Sequence[Candidate], means: GradingContext) -> list[Candidate]:
    """The same with their scores; an answer that cannot be graded is no row."""
    usable = [one for one in candidates if isinstance(one.row, Chat)]
    marks = iter(mark_all(scorer, [(one.question, said_in(one.answer).message) for one in usable], means))
    return [_marked(one, *next(marks)) if isinstance(one.row, Chat) else one for one in candidates]


def _marked(one: Candidate, score: float | None, problem: str | None) -> Candidate:
    return one._replace(score=score) if score is not None else one.rejected(Rejected("not_graded", problem))
