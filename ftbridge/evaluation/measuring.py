"""From the scores of single answers to those of models, with intervals, and to differences that await a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ftbridge.evaluation.clusters import Clusters, of_rows
from ftbridge.evaluation.differences import Difference, mean_difference, share_difference
from ftbridge.evaluation.grading import Scored, Values
from ftbridge.evaluation.intervals import Interval, mean_interval, share_interval
from ftbridge.evaluation.kinds import Kind
from ftbridge.evaluation.results import TIE, MetricScore, MetricUsed
from ftbridge.evaluation.verdict import Measured


def used(found: Scored, lines: Sequence[int]) -> MetricUsed:
    """What results say of a metric; `lines` are those of the rows."""
    problems = sorted((index, problem) for of in found.problems.values() for index, problem in of.items())
    first = next((f"line {lines[index]}: {problem}" for index, problem in problems), None)
    left_out = len(lines) - len(common_rows(found)) if found.values else 0
    return MetricUsed(name=found.name, kind=kind_of(found), left_out=left_out, failed=found.failed, problem=first)


def kind_of(found: Scored) -> Kind:
    """What the scores are, by their values."""
    values = {value for of in found.values.values() for value in of if value is not None}
    if found.tokens is not None:
        return "loss"
    if _are_shares(values):
        return "share"
    return "score" if all(0 <= value <= 1 for value in values) else "number"


def common_rows(found: Scored) -> list[int]:
    """The rows of which every model that has scores has one, so that all are held against the same rows."""
    rows = zip(*found.values.values(), strict=True)
    return [index for index, row in enumerate(rows) if None not in row]


def scores_of(found: Scored, clusters: Clusters) -> dict[str, MetricScore]:
    """The score of each model that has one."""
    rows = common_rows(found)
    scores = {}
    for model, values in found.values.items():
        if not rows:
            scores[model] = MetricScore()
            continue
        weights = _weights(found, model, rows)
        score, interval = _mean(_at(values, rows), weights, of_rows(clusters, rows))
        summary = found.summarise(model, rows)
        scores[model] = MetricScore(score=score, interval=interval, rows=len(rows), summary=summary)
    return scores


def measured(found: Scored, tuned: str, clusters: Clusters, margin: float) -> list[Measured]:
    """The difference of the tuned model from each other one, where both have scores of the same rows."""
    rows = common_rows(found)
    if tuned not in found.values or not rows:
        return []
    differences = []
    for rival in found.values:
        difference = _difference(found, tuned, rival, rows, of_rows(clusters, rows)) if rival != tuned else None
        if difference is not None and found.tokens is not None:
            differences.append(Measured(found.name, rival, difference, len(rows), sign=-1))
        elif difference is not None:
            differences.append(Measured(found.name, rival, difference, len(rows), margin))
    return differences


def winner(found: Scored, row: int) -> str | None:
    """The model with the best score of a row; None where fewer than two have one."""
    scores = {model: value for model, values in found.values.items() if (value := values[row]) is not None}
    if len(scores) <= 1:
        return None
    best = min(scores.values()) if found.tokens is not None else max(scores.values())
    first, *others = [model for model, value in scores.items() if value == best]
    return TIE if others else first


def _difference(found: Scored, tuned: str, rival: str, rows: Sequence[int], clusters: Clusters) -> Difference | None:
    if found.pairs is not None:
        new = _at(found.pairs[rival], rows)
        old = [1 - share for share in new]
    else:
        old, new = _at(found.values[rival], rows), _at(found.values[tuned], rows)
    weights = _weights(found, tuned, rows)
    if weights is None and _are_shares([*old, *new]):
        return share_difference([value == 1 for value in old], [value == 1 for value in new], clusters)
    if weights != _weights(found, rival, rows):
        return None  # another tokenizer: the losses are of other tokens
    return mean_difference(old, new, weights=weights, clusters=clusters)


def _mean(values: Sequence[float], weights: Sequence[int] | None, clusters: Clusters) -> tuple[float, Interval | None]:
    if weights is None and _are_shares(values):
        correct = [value == 1 for value in values]
        return sum(correct) / len(correct), share_interval(correct, clusters)
    weighed = weights or [1] * len(values)
    mean = sum(value * weight for value, weight in zip(values, weighed, strict=True)) / sum(weighed)
    return mean, mean_interval(values, weights=weights, clusters=clusters)


def _are_shares(values: Iterable[float]) -> bool:
    """Whether there are only 0 and 1, of which a bootstrap of few rows would know too little."""
    return {*values} <= {0.0, 1.0}


def _weights(found: Scored, model: str, rows: Sequence[int]) -> list[int] | None:
    """How many tokens each row's loss is the mean of."""
    return None if found.tokens is None else [found.tokens[model][row] for row in rows]


def _at(values: Values, rows: Sequence[int]) -> list[float]:
    return [value for row in rows if (value := values[row]) is not None]
