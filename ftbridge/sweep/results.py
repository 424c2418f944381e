"""How the trials of a sweep stand, and which of them is best."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Literal

from ftbridge.context import Context
from ftbridge.costs.spending import billed_so_far
from ftbridge.evaluation.results import Evaluation, Score
from ftbridge.ledger import JobFilter, Record, TrialRow, filtered, trial_rows
from ftbridge.model import Cost, Frozen, Hyperparameters, Job, Status
from ftbridge.stored import read_stored
from ftbridge.sweep.grid import Trial, in_words
from ftbridge.sweep.halving import Stop
from ftbridge.sweep.plan import SweepPlan, key_of, name_of

Outcome = Literal["planned", "over_budget", "refused", "open", "unclear", "succeeded", "stopped", "cancelled", "failed"]
"""Of these `stopped` is by successive halving, `cancelled` by a person, and `refused` has no job."""
_ORDER = ("succeeded", "stopped", "open", "unclear", "planned", "over_budget", "cancelled", "failed", "refused")


class TrialResult(Frozen):
    """One trial as it stands.

    `cost_usd` is what its vendor has billed, the estimates are by the catalogue; dollars, `None` where unknown.
    `usd_per_point` is its cost, or estimate, for each percentage point of exact answers. `valid_loss` is the last one
    that its vendor reported, in nats; `score` is of the held-out rows. `why` says why it was stopped, has failed, is
    not sent or not scored.
    """

    number: int
    target: str
    hyperparameters: Hyperparameters
    outcome: Outcome
    job: str | None = None
    name: str | None = None
    estimate_usd: float | None = None
    estimate_usd_high: float | None = None
    cost_usd: float | None = None
    usd_per_point: float | None = None
    valid_loss: float | None = None
    score: Score | None = None
    stop: Stop | None = None
    why: str | None = None

    @property
    def settings(self) -> str:
        """Its hyperparameters for people."""
        return in_words(self.hyperparameters)

    @property
    def usd(self) -> float | None:
        """What it has cost, and until that is known what it should."""
        return self.estimate_usd if self.cost_usd is None else self.cost_usd


class Sweep(Frozen):
    """A sweep as it stands, its trials best first.

    The order is by exact answers, then by loss, then by cost; trials without a score come after those with one.
    `held_out` says which rows judge them, and `rows` how many these are. `usd` is what all trials have cost so far,
    or may, of `max_cost_usd`.
    """

    name: str
    held_out: str
    rows: int | None
    max_cost_usd: float | None
    usd: float
    trials: tuple[TrialResult, ...]

    @property
    def best(self) -> TrialResult | None:
        """The best of those that have succeeded."""
        return next((trial for trial in self.trials if trial.outcome == "succeeded"), None)

    def __repr__(self) -> str:
        done = sum(trial.outcome == "succeeded" for trial in self.trials)
        return f"<Sweep {self.name}: {done} of {len(self.trials)} trials succeeded>"


def records_of(context: Context, name: str, plan: SweepPlan) -> dict[int, Record]:
    """The jobs of the trials that have one, by number.

    A job that ended before its vendor had it has given its key back; it is still in the group, under its name.
    """
    in_group = {record.job.name: record for record in filtered(context.ledger, JobFilter(group=name))}
    found = {}
    for trial in plan.trials:
        record = context.ledger.by_key(key_of(name, trial)) or in_group.get(name_of(name, trial))
        if record is not None:
            found[trial.number] = record
    return found


def outcome_of(record: Record, row: TrialRow) -> Outcome:
    """How a trial with a job stands."""
    if record.unconfirmed:
        return "unclear"
    match record.job.status:
        case Status.SUCCEEDED:
            return "succeeded"
        case Status.FAILED:
            return "failed"
        case Status.CANCELLED:
            return "stopped" if row.stopped else "cancelled"
        case _:
            return "open"


def results_of(
    context: Context, name: str, plan: SweepPlan, costs: Mapping[int, Cost], refused: Mapping[int, tuple[Outcome, str]]
) -> list[TrialResult]:
    """All trials as they stand, best first; `refused` says why some have no job, or no score."""
    records, rows = records_of(context, name, plan), trial_rows(context.ledger, name)
    results = [
        _result(
            context,
            trial,
            records.get(trial.number),
            rows.get(trial.number, TrialRow()),
            costs.get(trial.number, Cost()),
            refused.get(trial.number),
        )
        for trial in plan.trials
    ]
    return sorted(results, key=_rank)


def rows_judged(context: Context, name: str) -> int | None:
    """How many held-out rows the trials were scored on; `None` while none is."""
    scored = [row.evaluation for row in trial_rows(context.ledger, name).values() if row.evaluation]
    return read_stored(Evaluation, scored[0]).rows if scored else None


def _result(
    context: Context,
    trial: Trial,
    record: Record | None,
    row: TrialRow,
    cost: Cost,
    refused: tuple[Outcome, str] | None,
) -> TrialResult:
    known = {"number": trial.number, "target": trial.target, "hyperparameters": trial.hyperparameters}
    if record is None:
        outcome, why = refused or ("planned", None)
        estimates = cost.model_dump(include={"estimate_usd", "estimate_usd_high"})
        return TrialResult.model_validate({**known, **estimates, "outcome": outcome, "why": why})
    job = record.job
    stop = read_stored(Stop, row.stopped) if row.stopped else None
    score = read_stored(Evaluation, row.evaluation).tuned if row.evaluation else None
    outcome, billed = outcome_of(record, row), billed_so_far(context, job)
    usd = job.cost.estimate_usd if billed is None else billed
    points = 100 * score.exact_match if score else 0.0
    not_scored = refused[1] if refused and refused[0] == "succeeded" else None
    why = str(stop) if outcome == "stopped" else not_scored if outcome == "succeeded" else job.error
    return TrialResult(
        **known,
        outcome=outcome,
        job=job.id,
        name=job.name,
        estimate_usd=job.cost.estimate_usd,
        estimate_usd_high=job.cost.estimate_usd_high,
        cost_usd=billed,
        usd_per_point=usd / points if usd is not None and points else None,
        valid_loss=_valid_loss(job),
        score=score,
        stop=stop,
        why=why,
    )


def _valid_loss(job: Job) -> float | None:
    """The validation loss of the job's model, or else the last one that was reported."""
    of_model = job.result.valid_loss if job.result else None
    return job.latest.valid_loss if of_model is None else of_model


def _rank(trial: TrialResult) -> tuple[int, float, float, float, float, int]:
    exact = trial.score.exact_match if trial.score else -1.0
    loss = trial.score.loss if trial.score and trial.score.loss is not None else trial.valid_loss
    share = trial.stop.share if trial.stop else 0.0
    place = _ORDER.index(trial.outcome)
    return place, -exact, -share, inf if loss is None else loss, trial.usd or 0.0, trial.number
