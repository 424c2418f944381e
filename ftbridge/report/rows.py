"""The rows of an evaluation that a reader should see: those that changed for the worse or the better, and failures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ftbridge.evaluation.contestants import BASE
from ftbridge.evaluation.kinds import IN_POINTS, shown_score
from ftbridge.evaluation.results import EvaluatedRow, Evaluation, MetricUsed, RowAnswer
from ftbridge.graders.sample import text_of_content
from ftbridge.report.texts import Shown, bounded, compared

_MOST_CHANGED, _MOST_FAILED = 20, 12
_MOST_TURNS = 8
_LONGEST_TURN = 600


class Turn(NamedTuple):
    """A message before the answer."""

    role: str
    text: Shown


class AnswerShown(NamedTuple):
    """A model's answer, compared with the expected one; `right` is None where the metric has no such thing."""

    model: str
    score: str
    right: bool | None
    text: Shown
    problem: str


class RowShown(NamedTuple):
    """A row: the last message, those before it, the expected answer as the tuned model's was compared, all answers."""

    line: int
    change: str
    question: Turn
    earlier: tuple[Turn, ...]
    expected: Shown
    answers: tuple[AnswerShown, ...]


class Rows(NamedTuple):
    """Some rows under a heading, of `total` in all."""

    title: str
    sign: str
    total: int
    rows: tuple[RowShown, ...]


def changed(evaluation: Evaluation, names: Mapping[str, str]) -> list[Rows]:
    """By rival, the rows that the tuned model answers worse than it, and then those that it answers better."""
    metric, tuned = evaluation.metrics[0], evaluation.models[0].name
    groups = []
    for rival in evaluation.models[1:]:
        gains = {row.line: _gain(row, metric, tuned, rival.name) for row in evaluation.row_results}
        by_gain = sorted(evaluation.row_results, key=lambda row: gains[row.line])
        worse = [row for row in by_gain if gains[row.line] < 0]
        better = sorted((row for row in by_gain if gains[row.line] > 0), key=lambda row: -gains[row.line])
        for sign, found in (("worse", worse), ("better", better)):
            shown = tuple(_row(row, evaluation, names, (rival.name, tuned)) for row in found[:_MOST_CHANGED])
            groups.append(Rows(_title(sign, metric, rival.name, names), sign, len(found), shown))
    return groups


def failed(evaluation: Evaluation, names: Mapping[str, str], but: Sequence[Rows] = ()) -> Rows:
    """The rows with the worst scores of the tuned model, those with the highest loss first; not those in `but`."""
    metric, tuned = evaluation.metrics[0], evaluation.models[0].name
    shown = {row.line for group in but if group.sign == "worse" for row in group.rows}
    failures = [row for row in evaluation.row_results if is_failure(row, metric, tuned)]
    ranked = sorted(failures, key=lambda row: _rank(row, metric, tuned))
    others = [row for row in ranked if row.line not in shown]
    rows = tuple(_row(row, evaluation, names, (tuned,)) for row in others[:_MOST_FAILED])
    return Rows("Worst failures", "worse", len(failures), rows)


def is_failure(row: EvaluatedRow, metric: MetricUsed, model: str) -> bool:
    """Whether the model's answer is not fully right; of metrics without a highest score, every row counts."""
    score = row.answers[model].scores.get(metric.name)
    return score is not None and not (metric.kind in IN_POINTS and score >= 1)


def _title(sign: str, metric: MetricUsed, rival: str, names: Mapping[str, str]) -> str:
    if metric.kind != "share":
        return f"{sign.capitalize()} than {names[rival]}"
    before, after = ("Right", "wrong") if sign == "worse" else ("Wrong", "right")
    if rival == BASE:
        return f"{before} before, {after} now"
    return f"{before} by {names[rival]}, {after} by the tuned model"


def _gain(row: EvaluatedRow, metric: MetricUsed, tuned: str, rival: str) -> float:
    """How much better the tuned model's score is; 0 where one of the two has none."""
    new, old = (row.answers[model].scores.get(metric.name) for model in (tuned, rival))
    if new is None or old is None:
        return 0.0
    return old - new if metric.kind == "loss" else new - old


def _rank(row: EvaluatedRow, metric: MetricUsed, tuned: str) -> tuple[float, float, int]:
    scores = row.answers[tuned].scores
    score = scores.get(metric.name) or 0.0
    return (-score if metric.kind == "loss" else score, -(scores.get("loss") or 0.0), row.line)


def _row(row: EvaluatedRow, evaluation: Evaluation, names: Mapping[str, str], models: Sequence[str]) -> RowShown:
    metric, expected = evaluation.metrics[0], _with_calls(row.expected, row.expected_calls)
    marked, answers = bounded(expected), []
    for model in models:
        answer = row.answers[model]
        marked, text = compared(expected, _with_calls(answer.answer or answer.refusal or "", answer.tool_calls))
        answers.append(_answer(answer, names[model], metric, text))
    *earlier, last = [_turn(message) for message in row.question]
    scores = [shown_score(row.answers[model].scores.get(metric.name), metric.kind) for model in models]
    change = " → ".join(scores) if len(models) > 1 and metric.kind != "share" else ""
    return RowShown(row.line, change, last, tuple(earlier[-_MOST_TURNS:]), marked, tuple(answers))


def _answer(answer: RowAnswer, name: str, metric: MetricUsed, text: Shown) -> AnswerShown:
    score = answer.scores.get(metric.name)
    right = None if score is None or metric.kind not in IN_POINTS else score >= 1
    shown = "" if metric.kind == "share" else shown_score(score, metric.kind)
    outcome = {"truncated": "ends at the limit of tokens", "refused": "is a refusal"}.get(answer.outcome, "")
    problems = filter(None, (outcome, answer.error, answer.problems.get(metric.name)))
    return AnswerShown(name, shown, right, text, "; ".join(problems))


def _turn(message: Mapping[str, Any]) -> Turn:
    text = _with_calls(text_of_content(message.get("content")), message.get("tool_calls") or ())
    return Turn(str(message.get("role", "")), bounded(text, _LONGEST_TURN))


def _with_calls(text: str, calls: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(filter(None, [text, *(json.dumps(call, ensure_ascii=False) for call in calls)]))
