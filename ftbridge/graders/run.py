"""Running a grader: from one row and one answer to a grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftbridge.errors import FtbridgeError, SpecError
from ftbridge.graders.context import GradingContext
from ftbridge.graders.formula import Formula, FormulaError
from ftbridge.graders.grade import Grade, GradeError, RowProblem, graded
from ftbridge.graders.judge import label_by_model, score_by_model
from ftbridge.graders.metrics.metric import Metric
from ftbridge.graders.similarity import similarity
from ftbridge.graders.templates import fill
from ftbridge.graders.types import (
    Grader,
    LabelModel,
    Multi,
    PythonGrader,
    ScoreModel,
    StringCheck,
    TextSimilarity,
)
from ftbridge.wording import printable


def run_grader(
    grader: Grader | Metric, item: Mapping[str, Any], sample: Mapping[str, Any], context: GradingContext
) -> Grade:
    """The grade of one answer: `item` is the row, `sample` the answer as `sample_of` makes it.

    What is wrong with one row is the grade's error. Raises what would be wrong with every row: `MissingExtra` for a
    library, `UsageError` for a model that is not set, and the provider's error where a judge refuses the request.
    """
    try:
        return _grade(grader, item, sample, context)
    except RowProblem as problem:
        return problem.grade


def check_runnable(grader: Grader | Metric, context: GradingContext) -> None:
    """Raises now what `run_grader` would raise for every row, and `SpecError` for python source that does not load."""
    match grader:
        case TextSimilarity():
            similarity(grader.evaluation_metric, context.embed)
        case ScoreModel() | LabelModel():
            context.judge()
        case PythonGrader():
            try:
                context.python(grader.source).start()
            except RowProblem as problem:
                raise SpecError(f"{grader.name}: {problem}", hint="Correct the grader's source.") from None
        case Multi():
            for part in grader.graders.values():
                check_runnable(part, context)
        case Metric():
            grader.check()


def models_of_grader(grader: Grader | Metric) -> Iterator[str]:
    """The models that it asks, by their names in the grader."""
    match grader:
        case ScoreModel() | LabelModel():
            yield grader.model
        case Multi():
            for part in grader.graders.values():
                yield from models_of_grader(part)


def _grade(
    grader: Grader | Metric, item: Mapping[str, Any], sample: Mapping[str, Any], context: GradingContext
) -> Grade:
    match grader:
        case StringCheck():
            return _check(grader, fill(grader.input, item, sample), fill(grader.reference, item, sample))
        case TextSimilarity():
            score = similarity(grader.evaluation_metric, context.embed)
            given, reference = fill(grader.input, item, sample), fill(grader.reference, item, sample)
            return graded(score(given, reference), grader.pass_threshold)
        case ScoreModel():
            return score_by_model(grader, item, sample, context.judge())
        case LabelModel():
            return label_by_model(grader, item, sample, context.judge())
        case PythonGrader():
            grade = context.python(grader.source).grade(item, sample)
            return graded(grade.score, grader.pass_threshold, grade.details)
        case Multi():
            return _combine(grader, item, sample, context)
        case Metric():
            return _measure(grader, item, sample)


def _check(grader: StringCheck, given: str, reference: str) -> Grade:
    passed = {
        "eq": lambda: given == reference,
        "ne": lambda: given != reference,
        "like": lambda: reference in given,
        "ilike": lambda: reference.casefold() in given.casefold(),
    }[grader.operation]()
    return Grade(score=float(passed), passed=passed)


def _measure(metric: Metric, item: Mapping[str, Any], sample: Mapping[str, Any]) -> Grade:
    try:
        return metric.grade(item, sample)
    except (RowProblem, FtbridgeError):
        raise
    except Exception as problem:  # a metric may be anybody's, and a row anything
        what = f"the metric {metric.name} failed: {type(problem).__name__}: {printable(str(problem), 200)}"
        raise RowProblem("other_error", what) from problem


def _combine(grader: Multi, item: Mapping[str, Any], sample: Mapping[str, Any], context: GradingContext) -> Grade:
    """The formula over the parts' scores; of parts that failed, which count 0, the first is named."""
    parts = {name: run_grader(part, item, sample, context) for name, part in grader.graders.items()}
    details = {"parts": {name: part.model_dump(mode="json", exclude_defaults=True) for name, part in parts.items()}}
    try:
        score = Formula(grader.calculate_output).value({name: part.score for name, part in parts.items()})
    except FormulaError as problem:
        raise RowProblem("formula_parse_error", f"calculate_output: {problem}", details) from None
    error = next(
        (
            GradeError(code=part.error.code, message=f"{name}: {part.error.message}")
            for name, part in parts.items()
            if part.error
        ),
        None,
    )
    return Grade(score=score, error=error, details=details)
