"""Running the trials of a sweep: each is sent once, hopeless ones are stopped, and those that succeed are scored.

All that was decided is in the ledger before it is acted upon, and each step begins with what the ledger says. So a
sweep that was killed goes on by running it again, and two processes may run the same one:

- a trial's job is found by its idempotency key, or, where it ended before its vendor had it, in the sweep's group;
- a trial that was refused before its vendor had it is sent again; one that was cancelled, has failed at its vendor, or
  is unclear is not;
- the limit is checked in the transaction that adds the job (`ftbridge.costs.budgets`);
- why a trial is stopped is committed before its vendor is asked to cancel it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ftbridge.context import Context
from ftbridge.costs.spending import never_reached_vendor
from ftbridge.errors import FtbridgeError, LedgerError, OverBudget
from ftbridge.evaluation.evaluate import evaluate
from ftbridge.evaluation.results import Evaluation
from ftbridge.jobs.cancel_pause_resume import cancel
from ftbridge.jobs.submit import submit
from ftbridge.ledger import Record, TrialRow, decide, trial_rows
from ftbridge.model import Cost
from ftbridge.sweep.files import SweepFiles
from ftbridge.sweep.grid import Trial
from ftbridge.sweep.halving import curve_of, to_stop
from ftbridge.sweep.plan import SweepPlan, key_of, lock_of, name_of
from ftbridge.sweep.results import Outcome, TrialResult, outcome_of, records_of, results_of
from ftbridge.target import parse_target
from ftbridge.watching.follow import watch
from ftbridge.wording import counted

_PAUSE = 0.1  # seconds between two looks whether another process has scored a trial


@dataclass
class Run:
    """One process that runs a sweep. `costs` are the estimates of trials without a job.

    `refused` says which trials this process could not send, or score, and why; `asked` are those that it has asked
    their vendors to cancel. `progress` gets a trial each time it stands otherwise.
    """

    context: Context
    name: str
    plan: SweepPlan
    files: SweepFiles
    max_cost: float | None
    costs: Mapping[int, Cost]
    progress: Callable[[TrialResult], None] | None = None
    refused: dict[int, tuple[Outcome, str]] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)

    def results(self) -> list[TrialResult]:
        """All trials as they stand, best first."""
        return results_of(self.context, self.name, self.plan, self.costs, self.refused)

    def tell(self, number: int) -> None:
        """Tell the caller how a trial stands now."""
        if self.progress:
            self.progress(next(result for result in self.results() if result.number == number))


def run_trials(run: Run, *, scored: bool) -> None:
    """Send the trials, follow them until all are over, and score those that have succeeded."""
    while True:
        _send_all(run)
        open_jobs = _open_jobs(run)
        if not open_jobs:
            break
        _follow(run, open_jobs)
    if scored:
        for trial in run.plan.trials:
            _score(run, trial)


def _send_all(run: Run) -> None:
    records = records_of(run.context, run.name, run.plan)
    for trial in run.plan.trials:
        record = records.get(trial.number)
        outcome, _why = run.refused.get(trial.number, ("planned", ""))
        if _is_to_be_sent(record) and outcome != "refused":
            _send(run, trial)


def _is_to_be_sent(record: Record | None) -> bool:
    """Whether no vendor has, or may have, the trial; one that a person has cancelled is not wanted."""
    return record is None or (outcome_of(record, TrialRow()) == "failed" and never_reached_vendor(record))


def _send(run: Run, trial: Trial) -> None:
    before = run.refused.pop(trial.number, None)
    try:
        submit(
            run.context,
            run.files.training,
            trial.target,
            validation=run.files.validation,
            method=run.plan.method,
            name=name_of(run.name, trial),
            idempotency_key=key_of(run.name, trial),
            group=run.name,
            max_cost=run.max_cost,
            format=run.files.format,
            map=run.files.map,
            **trial.hyperparameters.given(),  # type: ignore[arg-type]  # they are named as the arguments
        )
    except LedgerError:
        raise
    except FtbridgeError as problem:  # of this trial; the others go on
        outcome: Outcome = "over_budget" if isinstance(problem, OverBudget) else "refused"
        run.refused[trial.number] = outcome, problem.message
    if run.refused.get(trial.number) is None or before is None:  # the same refusal is told once
        run.tell(trial.number)


def _open_jobs(run: Run) -> list[str]:
    records = records_of(run.context, run.name, run.plan).values()
    return [record.job.id for record in records if not record.job.status.final]


def _follow(run: Run, job_ids: Sequence[str]) -> None:
    """Return when all jobs are over, or one is and its bill may leave room for a trial that had none."""
    numbers = {record.job.id: number for number, record in records_of(run.context, run.name, run.plan).items()}
    has_news = True  # what was reported before this process died may not have been acted upon
    left = set(job_ids)
    for job, event in watch(run.context, *job_ids, history=False):
        if event is not None:
            has_news = has_news or event.valid_loss is not None
            continue
        if has_news:
            has_news = not _halve(run)
        if job.status.final and job.id in left:
            left.remove(job.id)
            run.tell(numbers[job.id])
            if any(outcome == "over_budget" for outcome, _why in run.refused.values()):
                return


def _halve(run: Run) -> bool:
    """Stop the trials that are hopeless; whether all vendors could be asked."""
    if run.plan.halving is None:
        return True
    records, rows = records_of(run.context, run.name, run.plan), trial_rows(run.context.ledger, run.name)
    outcomes = {number: outcome_of(record, rows.get(number, TrialRow())) for number, record in records.items()}
    for cohort in _cohorts(run.plan):
        compared = [number for number in cohort if outcomes.get(number) in ("open", "succeeded", "stopped")]
        curves = {number: _curve(run, records[number]) for number in compared}
        running = [number for number in compared if outcomes[number] == "open" and _can_cancel(run, records[number])]
        for number, stop in to_stop(curves, running, run.plan.halving).items():
            decide(run.context.ledger, run.name, number, "stopped", stop.model_dump_json())
    return _cancel_stopped(run)


def _cohorts(plan: SweepPlan) -> list[list[int]]:
    """The trials that can be compared: losses of other models, and of schedules of other lengths, say nothing."""
    cohorts: dict[tuple[str, int | None], list[int]] = {}
    for trial in plan.trials:
        cohorts.setdefault((trial.target, trial.hyperparameters.epochs), []).append(trial.number)
    return list(cohorts.values())


def _curve(run: Run, record: Record) -> Sequence[tuple[float, float]]:
    events = [event for _number, event in run.context.ledger.events(record.job.id)]
    epochs = record.job.spec.hyperparameters.epochs
    return curve_of(events, total_steps=record.job.latest.total_steps, epochs=epochs)


def _can_cancel(run: Run, record: Record) -> bool:
    provider = run.context.provider(parse_target(record.job.target))
    return record.job.remote_id is not None and "cancel" in provider.capabilities.verbs


def _cancel_stopped(run: Run) -> bool:
    """Cancel the trials that are to stop and still run; whether all vendors could be asked."""
    records, all_asked = records_of(run.context, run.name, run.plan), True
    for number, row in trial_rows(run.context.ledger, run.name).items():
        if not row.stopped or records[number].job.status.final or number in run.asked:
            continue
        try:
            cancel(run.context, records[number].job)
        except LedgerError:
            raise
        except FtbridgeError as problem:
            run.context.warn(f"job {records[number].job.id} could not be stopped: {problem.message}")
            all_asked = False
        else:
            run.asked.add(number)
    return all_asked


def _score(run: Run, trial: Trial) -> None:
    """Score the trial's model on the held-out rows, unless that was done before."""
    record = records_of(run.context, run.name, run.plan).get(trial.number)
    if record is None or outcome_of(record, TrialRow()) != "succeeded":
        return
    with _scoring_alone(run, trial):
        if trial_rows(run.context.ledger, run.name).get(trial.number, TrialRow()).evaluation:
            return
        try:
            validation, form, columns = run.files.validation, run.files.format, run.files.map
            evaluation = evaluate(run.context, record.job, validation, format=form, map=columns)
        except LedgerError:
            raise
        except FtbridgeError as problem:
            run.refused[trial.number] = "succeeded", f"not scored: {problem.message}"
        else:
            _keep_score(run, trial, evaluation)
    run.tell(trial.number)


def _keep_score(run: Run, trial: Trial, evaluation: Evaluation) -> None:
    """Commit the evaluation, unless answers are missing: the next run asks for those alone."""
    for counts in evaluation.answers:
        if counts.missing:
            what = f"{counts.missing} of {counted(counts.questions, 'answer')} are missing: {counts.first_error}"
            run.refused[trial.number] = "succeeded", f"not scored: {what}"
            return
    kept = evaluation.model_copy(update={"leaks": ()})  # they quote rows, which `delete` would not find here
    decide(run.context.ledger, run.name, trial.number, "evaluation", kept.model_dump_json())


@contextmanager
def _scoring_alone(run: Run, trial: Trial) -> Iterator[None]:
    """A block in which no other process scores the trial: answers are paid for, too."""
    while True:
        with run.context.ledger.lock(lock_of(run.name, trial)) as locked:
            if locked:
                yield
                return
        time.sleep(_PAUSE)
