"""An evaluation in sentences: differences, verdicts, and what to be wary of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ftbridge.evaluation.kinds import IN_POINTS
from ftbridge.wording import counted, printable

if TYPE_CHECKING:
    from ftbridge.answers import AnswerCounts
    from ftbridge.evaluation.leakage import Leak
    from ftbridge.evaluation.results import Evaluation, MetricUsed, ModelScores
    from ftbridge.evaluation.verdict import Comparison


def name_of_tuned(evaluation: Evaluation) -> str:
    """Its job where there is another one, as in the table."""
    return evaluation.job if evaluation.rival else "tuned"


def metric_of(evaluation: Evaluation, name: str) -> MetricUsed:
    """The metric of that name."""
    return next(one for one in evaluation.metrics if one.name == name)


def sentence(evaluation: Evaluation, one: Comparison) -> str:
    """The difference and its interval."""
    kind = metric_of(evaluation, one.metric).kind
    unit, factor, digits = (" points", 100, 1) if kind in IN_POINTS else ("", 1, 3)
    what = f"{printable(one.metric)}: {name_of_tuned(evaluation)} minus {printable(one.rival, 200)}"
    difference = f"{what} {factor * one.difference:+.{digits}f}{unit}"
    if one.low is None or one.high is None:
        return f"{difference}."
    low, high = (f"{factor * bound:+.{digits}f}" for bound in (one.low, one.high))
    return f"{difference} (95% interval: {low} to {high})."


def verdict(evaluation: Evaluation, one: Comparison) -> str:
    """The verdict as a sentence."""
    if one.verdict == "no worse":
        in_points = metric_of(evaluation, one.metric).kind in IN_POINTS
        margin = f"{100 * one.margin:g} points" if in_points else f"{one.margin:g}"
        return f"The new model is no worse: it loses {margin if one.margin else 'nothing'} at most."
    if one.verdict == "not enough rows":
        return "Not enough rows to tell" + (
            f": about {_rounded(one.rows_needed)} would be." if one.rows_needed else "."
        )
    return f"The new model is {one.verdict}."


def warnings(evaluation: Evaluation) -> list[str]:
    """What speaks against the scores: answers that are none, rows that could not be graded, leaks."""
    answers = [text for model in evaluation.models for text in _of_answers(evaluation, model)]
    answers += [_of_missing(evaluation, one) for one in evaluation.answers if one.missing]
    metrics = [text for metric in evaluation.metrics for text in _of_grading(evaluation, metric)]
    return [*answers, *metrics, *map(warning, evaluation.leaks)]


def _of_answers(evaluation: Evaluation, model: ModelScores) -> list[str]:
    name = name_of_tuned(evaluation) if model is evaluation.models[0] else printable(model.name, 200)
    out_of = counted(evaluation.rows, "answer")
    return [f"{name}: {model.empty} of {out_of} have no text and no tool call."] if model.empty else []


def _of_missing(evaluation: Evaluation, one: AnswerCounts) -> str:
    name = name_of_tuned(evaluation) if one.model == evaluation.models[0].name else printable(one.model, 200)
    of = f"{one.missing} of {counted(one.questions, 'question')}"
    return f"{name}: {of} got no answer, and their rows count for no model. The same command asks them again."


def _of_grading(evaluation: Evaluation, metric: MetricUsed) -> list[str]:
    name, why = printable(metric.name), f" The first reason: {printable(metric.problem or '', 300)}."
    found = []
    if metric.failed:
        found.append(f"{name}: {counted(metric.failed, 'answer')} could not be graded and count 0.{why}")
    if metric.left_out:
        out_of = f"{metric.left_out} of {counted(evaluation.rows, 'row')}"
        found.append(f"{name}: {out_of} have no score of every model and are left out.{why if metric.problem else ''}")
    return found


def warning(leak: Leak) -> str:
    """What a leak is, and what to do."""
    file = printable(leak.file, 200)
    lines = ", ".join(f"{line}" for line in leak.lines) + (", …" if leak.count > len(leak.lines) else "")
    where = f"line{'s' * (len(leak.lines) > 1)} {lines}"
    are, rows = "is" if leak.count == 1 else "are", counted(leak.count, "row")
    labels = ", ".join(f"'{printable(label)}'" for label in leak.labels) + (
        ", …" if leak.count > len(leak.labels) else ""
    )
    return {
        "training_file": f"these rows are the training file, {file}: use rows that the model has not seen.",
        "trained_rows": f"{rows} ({where}) {are} in the training file {file}: remove them from one of the two.",
        "trained_questions": f"the questions of {rows} ({where}) {are} in the training file {file} with another "
        "answer: remove them from one of the two.",
        "near_trained_rows": f"{rows} ({where}) {are} almost the same as rows of the training file {file}.",
        "labels_not_trained": f"{counted(leak.count, 'label')} ({labels}; {where}) {are} not in the training file "
        f"{file}: add rows with it there.",
        "labels_not_held_out": f"{counted(leak.count, 'label')} of the training file ({labels}) {are} not among the "
        "held-out rows, and so not tested.",
        "not_checked": f"whether these rows were trained on is not known: {file}: {leak.reason}.",
        "near_not_checked": "rows that are almost the same as training rows were not looked for: that needs "
        "pip install 'ftbridge[near]'.",
    }[leak.code]


def _rounded(rows: int) -> str:
    """Up to two digits: it is an estimate."""
    unit = 10 ** max(0, math.floor(math.log10(rows)) - 1)
    return f"{math.ceil(rows / unit) * unit:,}"
