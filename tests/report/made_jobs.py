"""Jobs and evaluations that are made up: what a report shows of them, and what a hostile row would like to do to it."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ftbridge.evaluation.differences import share_difference
from ftbridge.evaluation.intervals import share_interval
from ftbridge.evaluation.results import EvaluatedRow, Evaluation, MetricScore, MetricUsed, ModelScores, RowAnswer, Score
from ftbridge.evaluation.stored_evaluations import EvaluationHead, StoredEvaluation
from ftbridge.evaluation.verdict import Measured, judge
from ftbridge.graders import BUILT_IN, GradedRow, GradingContext, run_grader, sample_of
from ftbridge.model import Cost, Event, Hyperparameters, Job, Latest, Result, Spec, Status
from ftbridge.report.gather import DataFacts, JobFacts

AT = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
LABELS = ("billing", "delivery", "returns", "technical", "other")
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "\u202eright to left\u202c \x1b[2J\x07 \x00",
    "x" * 1_000_000,
    "{{ 7 * 7 }} {% raw %}",
    "]]><!-- </title></style>",
)


def events(steps: int = 120, *, floor: float = 0.08, start: float = 2.4) -> list[Event]:
    """The events of a training whose losses fall."""
    draw = random.Random(steps)
    found = [Event(at=AT, kind="metric", step=0, total_steps=steps, valid_loss=start * 1.02)]
    for step in range(1, steps + 1):
        loss = floor + (start - floor) * math.exp(-step / (steps / 6))
        every = step % (steps // 6) == 0
        found.append(
            Event(
                at=AT,
                kind="metric",
                step=step,
                total_steps=steps,
                train_loss=loss * draw.uniform(0.85, 1.15),
                valid_loss=loss * 1.15 + 0.03 if every else None,
            )
        )
    return found


def label_rows(count: int = 60, *, tuned_errors: int = 7, base_errors: int = 30) -> list[tuple[str, str, str, str]]:
    """Question, expected label, the base's answer and the tuned model's; a few that only the base gets right."""
    draw = random.Random(count)
    tickets = (
        "I was charged twice for the same order, and nobody answers my messages.",
        "The parcel has been in the same depot since Tuesday. Can you find out what happens with it?",
        "The shoes are too small. How do I send them back, and who pays for the postage?",
        "After the update the app closes as soon as I open the camera.",
        "Do you also have a shop in Lyon?",
    )
    found = []
    for number in range(count):
        kind = number % len(LABELS)
        expected = LABELS[kind]
        wrong = LABELS[(kind + draw.randrange(1, len(LABELS))) % len(LABELS)]
        base = wrong if number < base_errors else expected
        tuned = wrong if number >= count - tuned_errors else expected
        found.append((f"{tickets[kind]} (ticket {4000 + number})", expected, base, tuned))
    return found


def evaluation_of(
    rows: Sequence[tuple[str, str, str, str]], metric: str = "label", *, job: str = "ftb_1", rival: str = "base"
) -> Evaluation:
    """Scored as `evaluate` scores: the answers are made up, the scores, intervals and verdicts are not."""
    grader, context, clusters = BUILT_IN[metric](), GradingContext(), None
    items = [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": e}]} for q, e, _, _ in rows]
    answers = {"tuned": [row[3] for row in rows], rival: [row[2] for row in rows]}
    graded = {
        name: [
            GradedRow(
                item,
                sample := sample_of({"role": "assistant", "content": text}),
                run_grader(grader, item, sample, context),
            )
            for item, text in zip(items, texts, strict=True)
        ]
        for name, texts in answers.items()
    }
    right = {name: [row.grade.score == 1 for row in of] for name, of in graded.items()}
    models = tuple(
        ModelScores(
            name=name,
            target=f"mock:{name}",
            scores={
                metric: MetricScore(
                    score=sum(right[name]) / len(rows),
                    interval=share_interval(right[name], clusters),
                    rows=len(rows),
                    summary=grader.summarise(graded[name]),
                )
            },
        )
        for name in answers
    )
    comparisons = judge([Measured(metric, rival, share_difference(right[rival], right["tuned"]), len(rows), 0.05)])
    plain = Score(exact_match=0.5, exact_match_interval=share_interval(right["tuned"], clusters))
    return Evaluation(
        job=job,
        rows=len(rows),
        tuned=plain,
        metrics=(MetricUsed(name=metric, kind="share"),),
        chosen_because=f"the expected answers are {len({row[1] for row in rows})} labels",
        models=models,
        comparisons=tuple(comparisons),
        row_results=tuple(
            EvaluatedRow(
                line=number,
                question=[
                    {"role": "system", "content": "Sort the ticket. Answer with one label."},
                    {"role": "user", "content": question},
                ],
                expected=expected,
                answers={
                    name: RowAnswer(answer=texts[number - 1], scores={metric: graded[name][number - 1].grade.score})
                    for name, texts in answers.items()
                },
            )
            for number, (question, expected, _base, _tuned) in enumerate(rows, 1)
        ),
    )


def job_facts(
    name: str | None = "tickets",
    *,
    number: int = 1,
    target: str = "mock+openai:gpt-4.1-mini-2025-04-14",
    evaluation: Evaluation | None = None,
    steps: int = 120,
    floor: float = 0.08,
    cost: float | None = 1.87,
    sha256: str = "9f2c" * 16,
) -> JobFacts:
    """What `gather` finds of a job that went well."""
    job = Job(
        id=f"ftb_{number}",
        name=name,
        target=target,
        status=Status.SUCCEEDED,
        created_at=AT,
        finished_at=AT + timedelta(minutes=23, seconds=7 * number),
        spec=Spec(target=target, data=Path("/data/tickets.jsonl"), hyperparameters=Hyperparameters(epochs=3)),
        latest=Latest(step=steps, total_steps=steps),
        result=Result(model=f"ft:{target.rpartition(':')[2]}:tickets:{number}", step=steps),
        cost=Cost(estimate_usd=1.90, estimate_usd_high=2.40, estimate_tokens=633_000, actual_usd=cost),
        owner="mira",
    )
    used = {"epochs": 3, "batch_size": 8, "learning_rate": 0.0002, "lora_rank": 16}
    settings = Event(at=AT, kind="message", code="settings", message="chosen", hyperparameters=used)
    trained = Counter({"billing": 96, "delivery": 104, "returns": 88, "technical": 92, "other": 20})
    head = EvaluationHead(at=AT + timedelta(hours=1), version="0.1.0", data="/data/held-out.jsonl", sha256=sha256)
    return JobFacts(
        job,
        [settings, *events(steps, floor=floor)],
        DataFacts("/data/tickets.jsonl", 400, "51be" * 16, answers=trained),
        DataFacts("/data/validation.jsonl", 40, "0c77" * 16),
        "7ab01f6c3d9e4f55a0b1c2d3e4f50617",
        StoredEvaluation(head=head, evaluation=evaluation) if evaluation else None,
    )
