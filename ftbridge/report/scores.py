"""The scores of an evaluation as a table with bars, and its verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from ftbridge.evaluation.contestants import BASE
from ftbridge.evaluation.kinds import IN_POINTS, Kind, shown_interval, shown_score
from ftbridge.evaluation.results import Evaluation, MetricScore, MetricUsed
from ftbridge.evaluation.verdict import Comparison
from ftbridge.wording import counted

Tone = Literal["good", "bad", "open"]
_TONES: Mapping[str, Tone] = {"better": "good", "no worse": "good", "worse": "bad"}
_TRAINED, _ALIKE = ("training_file", "trained_rows"), ("trained_questions", "near_trained_rows")
"""The leaks that flatter a model: rows that it was trained on, and rows that are much like those."""


class Bar(NamedTuple):
    """A score and its interval, each at so many per cent of the width of its metric's scale."""

    at: float
    low: float
    high: float


class ScoreRow(NamedTuple):
    """A model by a metric; `verdict` is on the tuned model against it."""

    metric: str
    model: str
    tuned: bool
    score: str
    interval: str
    bar: Bar | None
    verdict: str
    tone: Tone


class Verdict(NamedTuple):
    """The sentence at the top, the same in a word or two, and the sentences that support it."""

    headline: str
    short: str
    tone: Tone
    details: tuple[str, ...] = ()


def model_names(evaluation: Evaluation) -> dict[str, str]:
    """What sentences call the models."""
    names = {one.name: one.name for one in evaluation.models}
    return names | {BASE: "its base", evaluation.models[0].name: "the tuned model"}


def score_rows(evaluation: Evaluation, names: Mapping[str, str]) -> list[ScoreRow]:
    """By metric each model, the tuned one first."""
    rows = []
    verdicts = {(one.metric, one.rival): one.verdict for one in evaluation.comparisons}
    for metric in evaluation.metrics:
        found = {model.name: model.scores[metric.name] for model in evaluation.models if metric.name in model.scores}
        low, high = _scale(metric.kind, found)
        for model, score in found.items():
            text = verdicts.get((metric.name, model), "")
            bar = _bar(score, low, high)
            interval = shown_interval(score.interval, metric.kind)
            tuned = model == evaluation.models[0].name
            shown = shown_score(score.score, metric.kind)
            tone = _TONES.get(text, "open")
            rows.append(ScoreRow(metric.name, names[model], tuned, shown, interval, bar, text, tone))
    return rows


def judged(evaluation: Evaluation, names: Mapping[str, str]) -> Verdict:
    """What the comparisons by the metric that decides say, the first at the top; without one, the score.

    A good verdict is open where the model was trained on some of the rows, and the headline says so.
    """
    metric = evaluation.metrics[0]
    found = [one for one in evaluation.comparisons if one.metric == metric.name]
    scores, leaked = _scores(evaluation, metric, names), _leaked(evaluation)
    if not found:
        missing = "It was held against no other model: --baseline adds its base, --against another one."
        return Verdict(f"Scored, and held against nothing{leaked}", "no comparison", "open", (scores, missing))
    others = [f"{_headline(one, names)}." for one in found[1:]]
    details = [f"{_difference(one, metric, names)}{_why(one, metric)}" for one in found]
    first, tone = found[0], _TONES.get(found[0].verdict, "open")
    short = f"{first.verdict}, on rows of its training" if leaked else first.verdict
    tone = "open" if leaked and tone == "good" else tone
    return Verdict(f"{_headline(first, names)}{leaked}", short, tone, (scores, *others, *details))


def _leaked(evaluation: Evaluation) -> str:
    """How many rows flatter the model, to end a headline with."""
    rows = counted(evaluation.rows, "held-out row")
    for codes, where in ((_TRAINED, "in the training data"), (_ALIKE, "much like training rows")):
        if count := sum(leak.count for leak in evaluation.leaks if leak.code in codes):
            return f", but {count:,} of {rows} {'is' if count == 1 else 'are'} {where}"
    return ""


def _headline(one: Comparison, names: Mapping[str, str]) -> str:
    rival = names[one.rival]
    return {
        "better": f"Better than {rival}",
        "worse": f"Worse than {rival}",
        "no worse": f"No worse than {rival}",
        "not enough rows": f"Not enough rows to tell it from {rival}",
    }[one.verdict]


def _scores(evaluation: Evaluation, metric: MetricUsed, names: Mapping[str, str]) -> str:
    found = (
        f"{names[model.name]} {shown_score(model.scores[metric.name].score, metric.kind)}"
        for model in evaluation.models
        if metric.name in model.scores
    )
    return f"By {metric.name} on {counted(evaluation.rows, 'held-out row')}: {', '.join(found)}."


def _difference(one: Comparison, metric: MetricUsed, names: Mapping[str, str]) -> str:
    unit, factor, digits = (" points", 100, 1) if metric.kind in IN_POINTS else ("", 1, 3)
    found = f"The difference from {names[one.rival]} is {factor * one.difference:+.{digits}f}{unit}"
    if one.low is None or one.high is None:
        return f"{found}."
    return f"{found}, and with 95% certainty from {factor * one.low:+.{digits}f} to {factor * one.high:+.{digits}f}."


def _why(one: Comparison, metric: MetricUsed) -> str:
    """What a verdict that is neither better nor worse means."""
    if one.verdict == "no worse":
        margin = f"{100 * one.margin:g} points" if metric.kind in IN_POINTS else f"{one.margin:g}"
        return f" It loses {margin if one.margin else 'nothing'} at most."
    if one.verdict == "not enough rows" and one.rows_needed:
        return f" About {one.rows_needed:,} rows would tell."
    return ""


def _scale(kind: Kind, found: Mapping[str, MetricScore]) -> tuple[float, float]:
    """0 to 1 for what is shown in per cent; otherwise from 0, or what is lower, to the highest value."""
    if kind in IN_POINTS:
        return 0.0, 1.0
    bounds = [bound for one in found.values() if one.interval for bound in (one.interval.low, one.interval.high)]
    values = [*bounds, *(one.score for one in found.values() if one.score is not None)]
    return min([0.0, *values]), max([0.0, *values])


def _bar(score: MetricScore, low: float, high: float) -> Bar | None:
    if score.score is None or high == low:
        return None
    ends = (score.interval.low, score.interval.high) if score.interval else (score.score, score.score)
    at, start, end = (round(100 * (value - low) / (high - low), 2) for value in (score.score, *ends))
    return Bar(at, start, end)
