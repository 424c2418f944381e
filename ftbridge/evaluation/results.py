"""What an evaluation finds: plain frozen data, for tables, reports and programs alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from ftbridge.answers import AnswerCounts, Outcome
from ftbridge.evaluation.intervals import Interval
from ftbridge.evaluation.kinds import Kind, shown_interval, shown_score
from ftbridge.evaluation.leakage import Leak
from ftbridge.evaluation.verdict import Comparison, Verdict
from ftbridge.model import Frozen
from ftbridge.wording import counted

TIE = "tie"
_IN_SHORT: Mapping[Verdict, str] = {
    "better": ": tuned is better",
    "no worse": ": tuned is no worse",
    "worse": ": tuned is worse",
    "not enough rows": ": not enough rows to tell",
}


class MetricUsed(Frozen):
    """A metric of the evaluation; the first one decides.

    `kind` says what its scores are: a "share" of rows, as each has 0 or 1; a "score", the mean of numbers from 0 to 1;
    a "number", the mean of others; or the "loss", of which less is better. `left_out` rows count for no model, as at
    least one has no score there for no fault of its answer; `failed` answers could not be graded and count 0.
    `problem` is the first reason for either.
    """

    name: str
    kind: Kind
    left_out: int = 0
    failed: int = 0
    problem: str | None = None


class MetricScore(Frozen):
    """One model by one metric: the mean over its rows with a 95 % confidence interval, or None where no row has one.

    `summary` is what only all rows together have: of the metric label the precision, recall and F1 of each label
    (`labels`) and how often each was answered for each (`confusion`), of text the scores of the corpus.
    """

    score: float | None = None
    interval: Interval | None = None
    rows: int = 0
    summary: Mapping[str, Any] = Field(default_factory=dict)


class ModelScores(Frozen):
    """A model that was asked: `name` is "tuned", "base", the id of another job, or a target. `scores` are by metric.

    So many of its answers are `empty`: without text, tool call, refusal or error.
    """

    name: str
    target: str
    scores: Mapping[str, MetricScore]
    empty: int = 0


class RowAnswer(Frozen):
    """What a model answers to one row, and its score by each metric: None where it has none.

    The `outcome` says whether it is an answer at all: it may be cut or refused, or missing, for the `error`; a row of
    which one is missing counts for no model. `problems` say by metric why an answer could not be graded, `details` what
    led to a score, such as a judge's steps.
    """

    answer: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    refusal: str | None = None
    outcome: Outcome = "answered"
    error: str | None = None
    scores: Mapping[str, float | None]
    problems: Mapping[str, str] = Field(default_factory=dict)
    details: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)


class EvaluatedRow(Frozen):
    """A held-out row: what was asked and expected, each model's answer, and whose is best by the first metric.

    `winner` is the name of a model, or "tie"; None where fewer than two models have a score.
    """

    line: int
    question: list[dict[str, Any]]
    expected: str
    expected_calls: tuple[dict[str, Any], ...] = ()
    answers: Mapping[str, RowAnswer]
    winner: str | None = None


class Score(Frozen):
    """`exact_match` is the share of answers equal to the expected ones, `loss` the mean per trained token in nats.

    The intervals are 95 % confidence intervals; a loss of few rows has none.
    """

    exact_match: float
    exact_match_interval: Interval
    loss: float | None = None
    loss_interval: Interval | None = None


class Evaluation(Frozen):
    """The scores of a job's tuned model and, on request, of its base model, other jobs and other targets.

    `models` has the tuned model first, and `metrics` the one that decides; where nobody named it, `chosen_because` is
    why it was chosen. `comparisons` are of the tuned model with each of the others by each metric. `row_results` has
    each row with all answers; it is no part of the JSON document.

    `tuned`, `baseline` and `against` are exact answers and loss, whatever the metrics. `rival` is the first model given
    as `against`, and `paired` the comparison with it by the metric that decides. Of rows that share a value of the key
    `cluster`, `clusters` is the number of values. `leaks` are reasons why the held-out rows may flatter the model.
    `answers` says for each model what became of the questions, and `shots` are the lines of the training file that the
    base had as examples.
    """

    job: str
    rival: str | None = None
    rows: int
    cluster: str | None = None
    clusters: int | None = None
    tuned: Score
    baseline: Score | None = None
    against: Score | None = None
    paired: Comparison | None = None
    metrics: tuple[MetricUsed, ...]
    chosen_because: str | None = None
    models: tuple[ModelScores, ...]
    comparisons: tuple[Comparison, ...] = ()
    leaks: tuple[Leak, ...] = ()
    answers: tuple[AnswerCounts, ...] = ()
    shots: tuple[int, ...] = ()
    row_results: tuple[EvaluatedRow, ...] = Field((), exclude=True, repr=False)

    def __str__(self) -> str:
        """The scores by the metric that decides, with their intervals; the verdicts; and that something is doubtful."""
        metric = self.metrics[0]
        verdicts = {one.rival: one.verdict for one in self.comparisons if one.metric == metric.name}
        lines = [f"{self.job} by {metric.name} on {counted(self.rows, 'held-out row')}"]
        for model in self.models:
            found = model.scores.get(metric.name, MetricScore())
            span = f" ({shown_interval(found.interval, metric.kind)})" if found.interval else ""
            verdict = _IN_SHORT[verdicts[model.name]] if model.name in verdicts else ""
            lines.append(f"  {model.name} {shown_score(found.score, metric.kind)}{span}{verdict}")
        doubts = [f"{counted(self.missing, 'answer')} missing"] if self.missing else []
        doubts += [leak.code.replace("_", " ") for leak in self.leaks]
        return "\n".join([*lines, *([f"  doubtful: {', '.join(doubts)}"] if doubts else [])])

    @property
    def missing(self) -> int:
        """How many questions got no answer, as a vendor was in trouble: asked again, they may get one."""
        return sum(one.missing for one in self.answers)

    def worse_than(self) -> list[str]:
        """The models than which the tuned one is worse by the metric that decides, for certain, beyond the margin."""
        first = self.metrics[0].name
        return [one.rival for one in self.comparisons if (one.metric, one.verdict) == (first, "worse")]
