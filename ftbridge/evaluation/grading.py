"""Every answer of every model, scored by one metric."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, TypeAlias

from ftbridge.answers import each_at_once
from ftbridge.dataset.canonical.example import Chat
from ftbridge.evaluation.answering import Answered, loss_of
from ftbridge.evaluation.held_out import expected_calls, items_of, question_of
from ftbridge.evaluation.judging import Case, Judge, Preferred, prefer, score_alone
from ftbridge.evaluation.measures import Measure, models_asked
from ftbridge.graders import Grade, GradedRow, GradeError, Grader, GradingContext, Metric, run_grader
from ftbridge.graders.item import expected_answer
from ftbridge.graders.sample import text_of_content
from ftbridge.wording import printable

_NO_LOSS = "the loss is no finite number: the weights may be damaged, or too large for their type"
_NO_FAULT_OF_AN_ANSWER = frozenset(
    {
        "invalid_variable_error",
        "model_grader_parse_error",
        "model_grader_refusal_error",
        "model_grader_server_error",
        "python_grader_server_error",
    }
)

Values: TypeAlias = Sequence[float | None]
Sample: TypeAlias = Mapping[str, Any] | None
"""An answer as graders read it; None for one that is missing."""


@dataclass(frozen=True)
class Scored:
    """The scores by one metric: of each model one for each row, None where there is none.

    `problems` and `details` are of single answers, by model and then by the index of the row; `failed` answers count 0.
    `pairs` have the tuned model's share against a rival, where two answers are judged at a time.
    """

    name: str
    values: Mapping[str, Values]
    tokens: Mapping[str, Sequence[int]] | None = None
    pairs: Mapping[str, Values] | None = None
    failed: int = 0
    problems: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    details: Mapping[str, Mapping[int, Mapping[str, Any]]] = field(default_factory=dict)
    summarise: Callable[[str, Sequence[int]], Mapping[str, Any]] = lambda _model, _rows: {}


def scored(measure: Measure, chats: Sequence[Chat], models: Sequence[Answered], context: GradingContext) -> Scored:
    """The scores of all models; the first of them is the tuned one."""
    name, scorer = measure
    if scorer is None:
        return _losses(name, models)
    if not isinstance(scorer, Judge):
        return _graded(name, scorer, chats, models, context)
    if len(models) > 1:
        return _preferred(name, scorer, chats, models, context)
    [alone] = models

    def grade(case: Case, sample: Sample) -> Grade | None:
        return None if sample is None else score_alone(scorer, case, answer_text(sample), context)

    return _of_grades(name, {alone.name: each_at_once(grade, [*map(_case, chats)], alone.samples)})


def answer_text(sample: Mapping[str, Any]) -> str:
    """An answer as a judge reads it: its text, and each tool call as JSON."""
    return "\n".join(filter(None, [sample["output_text"], *map(_call_text, sample["output_tools"])]))


def _losses(name: str, models: Sequence[Answered]) -> Scored:
    with_losses = [(one.name, one.losses) for one in models if one.losses is not None]
    values = {model: [loss_of(loss) for loss in losses] for model, losses in with_losses}
    problems = {
        model: _numbered(losses, lambda loss: None if math.isfinite(loss.loss) else _NO_LOSS)
        for model, losses in with_losses
    }
    tokens = {model: [loss.tokens for loss in losses] for model, losses in with_losses}
    return Scored(name, values, tokens=tokens, problems=problems)


def _graded(
    name: str, grader: Grader | Metric, chats: Sequence[Chat], models: Sequence[Answered], context: GradingContext
) -> Scored:
    items = items_of(chats)
    apply = each_at_once if any(models_asked(grader)) else _one_by_one

    def grade(item: Mapping[str, Any], sample: Sample) -> Grade | None:
        return None if sample is None else run_grader(grader, item, sample, context)

    grades = {one.name: apply(grade, items, one.samples) for one in models}
    found = _of_grades(name, grades)
    if not isinstance(grader, Metric):
        return found
    samples = {one.name: one.samples for one in models}

    def summarise(model: str, rows: Sequence[int]) -> Mapping[str, Any]:
        graded = [(items[row], samples[model][row], grades[model][row]) for row in rows]
        return _summary(grader, [GradedRow(item, sample, of) for item, sample, of in graded if sample and of])

    return Scored(
        name,
        found.values,
        failed=found.failed,
        problems=found.problems,
        details=found.details,
        summarise=summarise,
    )


def _preferred(
    name: str, judge: Judge, chats: Sequence[Chat], models: Sequence[Answered], context: GradingContext
) -> Scored:
    """Of the tuned model the mean share over its rivals, of each rival its own."""
    tuned, *rivals = models
    cases = [_case(chat) for chat in chats]

    def compare(case: Case, new: Sample, old: Sample) -> Preferred:
        if new is None or old is None:
            return Preferred(None)
        return prefer(judge, case, (answer_text(new), answer_text(old)), context)

    pairs = {one.name: each_at_once(compare, cases, tuned.samples, one.samples) for one in rivals}
    shares = {model: [one.share for one in found] for model, found in pairs.items()}
    values: dict[str, Values] = {tuned.name: [_mean(row) for row in zip(*shares.values(), strict=True)]}
    values |= {model: [None if one is None else 1 - one for one in found] for model, found in shares.items()}
    return Scored(
        name,
        values,
        pairs=shares,
        problems={model: _numbered(found, lambda one: one.problem) for model, found in pairs.items()},
        details={
            model: _numbered(found, lambda one: {"verdicts": [*one.verdicts]} if one.verdicts else None)
            for model, found in pairs.items()
        },
    )


def _of_grades(name: str, grades: Mapping[str, Sequence[Grade | None]]) -> Scored:
    usable = {model: [grade and _finite(grade) for grade in found] for model, found in grades.items()}
    known = [grade for found in usable.values() for grade in found if grade]
    return Scored(
        name,
        {model: [_score(grade) for grade in found] for model, found in usable.items()},
        failed=sum(1 for grade in known if grade.error and _score(grade) is not None),
        problems={
            model: _numbered(found, lambda grade: grade.error.message if grade and grade.error else None)
            for model, found in usable.items()
        },
        details={
            model: _numbered(found, lambda grade: (grade and grade.details) or None) for model, found in usable.items()
        },
    )


def _finite(grade: Grade) -> Grade:
    if math.isfinite(grade.score):
        return grade
    return Grade(error=GradeError(code="other_error", message=f"its score is {grade.score}, no finite number"))


def _score(grade: Grade | None) -> float | None:
    return None if grade is None or (grade.error and grade.error.code in _NO_FAULT_OF_AN_ANSWER) else grade.score


def _summary(metric: Metric, rows: Sequence[GradedRow]) -> Mapping[str, Any]:
    try:
        return metric.summarise(rows)
    except Exception as problem:  # a metric may be anybody's; its scores stand without it
        return {"problem": f"{type(problem).__name__}: {printable(str(problem), 200)}"}


def _case(chat: Chat) -> Case:
    [item] = items_of([chat])
    messages = item["messages"][: len(question_of(chat))]
    lines = [f"{message['role']}: {text_of_content(message.get('content'))}" for message in messages]
    expected = [expected_answer(chat), *map(_call_text, expected_calls(chat))]
    if reference := item.get("reference"):
        expected.append(json.dumps(reference, ensure_ascii=False))
    return Case("\n\n".join(lines), "\n".join(filter(None, expected)))


def _call_text(call: Any) -> str:
    return json.dumps(call, ensure_ascii=False)


def _mean(row: Sequence[float | None]) -> float | None:
    known = [one for one in row if one is not None]
    return fmean(known) if known else None


def _numbered(found: Sequence[Any], of: Callable[[Any], Any]) -> dict[int, Any]:
    """What `of` finds in each, by index, where it finds something."""
    return {index: value for index, one in enumerate(found) if (value := of(one)) is not None}


def _one_by_one(apply: Callable[..., Any], *columns: Sequence[Any]) -> list[Any]:
    return [*map(apply, *columns)]
