"""An evaluation that is printed is a few lines: each model's score, the verdict on it, and what is doubtful."""

from __future__ import annotations

from ftbridge.evaluation.intervals import Interval
from ftbridge.evaluation.leakage import Leak
from ftbridge.evaluation.results import Evaluation, MetricScore, MetricUsed, ModelScores, Score
from ftbridge.evaluation.verdict import Comparison

TUNED = MetricScore(score=0.95, interval=Interval(low=0.863, high=0.983), rows=60)
BASE = MetricScore(score=0.0, interval=Interval(low=0.0, high=0.06), rows=60)
BETTER = Comparison(
    metric="exact", rival="base", difference=0.95, low=0.8, high=1, margin=0, p_value=0, adjusted_p=0, verdict="better"
)
PLAIN = Score(exact_match=0.95, exact_match_interval=Interval(low=0.863, high=0.983))
EVALUATION = Evaluation(
    job="ftb_9f6c",
    rows=60,
    tuned=PLAIN,
    metrics=(MetricUsed(name="exact", kind="share"), MetricUsed(name="loss", kind="loss")),
    models=(
        ModelScores(name="tuned", target="local:x", scores={"exact": TUNED, "loss": MetricScore(score=0.1)}),
        ModelScores(name="base", target="local:tiny", scores={"exact": BASE}),
    ),
    comparisons=(BETTER,),
    leaks=(Leak(code="trained_rows", file="train.jsonl", count=2),),
)


def test_it_is_printed_as_scores_and_verdicts() -> None:
    assert str(EVALUATION).splitlines() == [
        "ftb_9f6c by exact on 60 held-out rows",
        "  tuned 95.0% (86.3 to 98.3)",
        "  base 0.0% (0.0 to 6.0): tuned is better",
        "  doubtful: trained rows",
    ]


def test_one_model_without_an_interval_is_two_lines() -> None:
    metrics, models = EVALUATION.metrics[1:], EVALUATION.models[:1]
    alone = EVALUATION.model_copy(update={"metrics": metrics, "models": models, "comparisons": (), "leaks": ()})
    assert str(alone).splitlines() == ["ftb_9f6c by loss on 60 held-out rows", "  tuned 0.100"]
