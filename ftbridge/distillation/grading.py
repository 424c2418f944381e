"""How good the answers are, by a grader or a metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ftbridge.answers import ask_judges, each_at_once
from ftbridge.context import Context
from ftbridge.distillation.questions import Question
from ftbridge.errors import DataError, UsageError
from ftbridge.graders import (
    Grader,
    GradingContext,
    Metric,
    check_runnable,
    models_of_grader,
    parse_grader,
    run_grader,
    sample_of,
)
from ftbridge.plugins import load_metric
from ftbridge.spec import json_object


class Mark(NamedTuple):
    """The score of an answer, or None and the `problem` of the grader that gave none."""

    score: float | None
    problem: str | None = None


def find_grader(
    grader: Mapping[str, Any] | str | Path | None, metric: str | None, questions: Sequence[Question]
) -> Grader | Metric | None:
    """The grader in that file or object, or the metric of that name.

    Raises `UsageError` for both, as `parse_grader` and `load_metric` do, and `DataError` where a metric has nothing to
    compare the answer to a question with.
    """
    if grader is not None and metric is not None:
        raise UsageError("a grader and a metric are given", hint="Give one: the best answer is chosen by one score.")
    if metric is None:
        found = json_object(grader)
        return None if found is None else parse_grader(found)
    bare = next((one for one in questions if one.prompt.answer is None and one.prompt.reference is None), None)
    if bare is not None:
        raise DataError(
            f"line {bare.line} has no answer, so the metric {metric} has nothing to compare with",
            hint="Give each prompt its answer or a reference, or grade with --grader.",
            line=bare.line,
        )
    return load_metric(metric)


def grading(context: Context, grader: Grader | Metric | None, judge: str | None, *, fresh: bool) -> GradingContext:
    """What the grader needs, once it is known to run here. Raises as `check_runnable` and `ask_judges` do."""
    models = {*models_of_grader(grader)} if grader else set()
    if judge is not None and not models:
        raise UsageError("a judge is given, and no grader asks one", hint="Leave --judge out, or give such a --grader.")
    means = GradingContext(ask_judges(context, models, judge, fresh=fresh)) if models else GradingContext()
    if models:
        asked = judge or ", ".join(sorted(models))
        context.warn(f"the grader asks {asked} about each answer, which no limit covers")
    if grader is not None:
        check_runnable(grader, means)
    return means


def mark_all(
    grader: Grader | Metric, answers: Sequence[tuple[Question, Mapping[str, Any]]], means: GradingContext
) -> list[Mark]:
    """The marks of messages, each with its question, in order."""

    def mark(answer: tuple[Question, Mapping[str, Any]]) -> Mark:
        question, message = answer
        grade = run_grader(grader, question.item, sample_of(message), means)
        if grade.error and grade.error.code != "sample_parse_error":
            return Mark(None, grade.error.message)
        return Mark(grade.score) if math.isfinite(grade.score) else Mark(None, f"its score is {grade.score}")

    return each_at_once(mark, answers)
