"""A model as the judge: by a rubric it scores one answer, or says which of two answers is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ftbridge.graders import Grade, GraderMessage, GradingContext, LabelModel, ScoreModel, run_grader

_CASE = (
    "The request:\n\n{{item.question}}\n\nThe expected answer, in words that need not be the same:\n\n{{item.expected}}"
)
_ALONE = """You judge an answer to a request by this rubric:

{{item.rubric}}

Give a number from 0, where the answer meets nothing of the rubric, to 1, where it meets all of it. Judge what the \
answer says, not how long it is. Write a JSON object with the keys steps and result; result is the number."""
_PAIR = """You compare two answers to the same request by this rubric:

{{item.rubric}}

Judge what the answers say, neither how long they are nor which one comes first. Write a JSON object with the keys \
steps and result; result is "first" or "second" for the better answer, or "tie" where neither is better."""
_FIRST, _SECOND, _TIE = "first", "second", "tie"
_POINTS = {_FIRST: 1.0, _TIE: 0.5, _SECOND: 0.0}


class Judge(NamedTuple):
    """The target that judges, and the rubric by which it does."""

    target: str
    rubric: str


class Case(NamedTuple):
    """A row as the judge reads it."""

    question: str
    expected: str


class Preferred(NamedTuple):
    """The share of two verdicts, one for each order of the answers, that an answer has won; None where one failed."""

    share: float | None
    problem: str | None = None
    verdicts: tuple[str, ...] = ()


def score_alone(judge: Judge, case: Case, answer: str, context: GradingContext) -> Grade:
    """How far an answer meets the rubric, from 0 to 1."""
    grader = ScoreModel(
        type="score_model",
        name="judge",
        model=judge.target,
        input=_messages(_ALONE, "The answer:\n\n{{sample.output_text}}"),
    )
    return run_grader(grader, _item(judge, case), {"output_text": answer}, context)


def prefer(judge: Judge, case: Case, answers: tuple[str, str], context: GradingContext) -> Preferred:
    """Whether the first answer is better: the judge is asked twice, so that none gains by its position.

    Equal answers are a tie without a question.
    """
    new, old = answers
    if new.strip() == old.strip():
        return Preferred(0.5)
    verdicts = []
    for first, second in ((new, old), (old, new)):
        grade = _choose(judge, case, first, second, context)
        if grade.error:
            return Preferred(None, grade.error.message)
        verdicts.append(str(grade.details["result"]))
    one, other = verdicts
    return Preferred((_POINTS[one] + 1 - _POINTS[other]) / 2, verdicts=(one, other))


def _choose(judge: Judge, case: Case, first: str, second: str, context: GradingContext) -> Grade:
    grader = LabelModel(
        type="label_model",
        name="judge",
        model=judge.target,
        input=_messages(_PAIR, "The first answer:\n\n{{item.first}}\n\nThe second answer:\n\n{{item.second}}"),
        labels=(_FIRST, _SECOND, _TIE),
        passing_labels=(_FIRST,),
    )
    return run_grader(grader, {**_item(judge, case), "first": first, "second": second}, {}, context)


def _messages(task: str, answers: str) -> tuple[GraderMessage, ...]:
    return (GraderMessage(role="system", content=task), GraderMessage(role="user", content=f"{_CASE}\n\n{answers}"))


def _item(judge: Judge, case: Case) -> Mapping[str, Any]:
    return {"rubric": judge.rubric, "question": case.question, "expected": case.expected}
