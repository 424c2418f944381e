"""A sweep: planned, begun or gone on with, judged on the same rows, and shown best first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Unpack

from ftbridge.arguments import SweepArguments
from ftbridge.context import Context
from ftbridge.costs.budgets import use_of
from ftbridge.dataset.reading.given import Given
from ftbridge.errors import FtbridgeError, UsageError
from ftbridge.ledger import JobFilter, begin_sweep, change_limit, filtered, find_sweep, is_trial_of, sweep_names
from ftbridge.model import Method, Spec
from ftbridge.spec import check_label, make_spec
from ftbridge.stored import as_stored, read_stored
from ftbridge.sweep.files import SweepFiles, open_files, path_of
from ftbridge.sweep.grid import make_trials
from ftbridge.sweep.plan import SweepPlan, check_and_price, check_any_fits
from ftbridge.sweep.results import Sweep, TrialResult, records_of, rows_judged
from ftbridge.sweep.trials import Run, run_trials
from ftbridge.target import parse_target
from ftbridge.wording import did_you_mean, printable

LONGEST_NAME = 48
"""Characters of a sweep's name, after which its jobs are named."""


def sweep(
    context: Context,
    data: Given,
    to: str | Sequence[str],
    *,
    validation: Given | None = None,
    validation_split: float = 0.1,
    sweep_seed: int = 0,
    trials: int | None = None,
    halving: int | None = None,
    method: str = "sft",
    name: str | None = None,
    max_cost: float | None = None,
    evaluate: bool = True,
    dry_run: bool = False,
    format: str | None = None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None = None,  # noqa: A002 - likewise
    progress: Callable[[TrialResult], None] | None = None,
    **hyperparameters: Unpack[SweepArguments],
) -> Sweep:
    """Train on `data` at each target of `to` with each value of the hyperparameters, and score the models.

    `epochs=[1, 3], learning_rate=[1e-4, 2e-4]` are four trials at each target; with `trials`, so many of them are
    chosen by `sweep_seed`. They are judged by the rows of `validation`, or by the share `validation_split` of the rows,
    which is held out of training by the same seed. All of them may cost `max_cost` US dollars together; one for which
    there is no room is not sent. With `halving`, an eta from 2, trials whose validation loss is not among the best
    1/eta after 1/eta² and 1/eta of their training are cancelled (`ftbridge.sweep.halving`).

    Returns when all trials are over. The jobs are the group `name`; the same call again, also after a crash, goes on
    and creates none twice, and a `max_cost` that differs is the new limit. With `dry_run` nothing is sent. `progress`
    gets each trial that was sent, is over or was scored. `data`, `format` and `map` are as those of `Bridge.check`.

    Raises `SpecError` for a hyperparameter that one of the targets does not take, `DataError` for its data, and
    `OverBudget` where no trial can be within the limit, before anything is sent.
    """
    chosen = _checked(method, max_cost).method
    _check(name, halving, validation_split, chosen)
    targets = [str(context.target(text)) for text in context.targets(to)]
    planned = make_trials(targets, dict(hyperparameters), count=trials, seed=sweep_seed)
    with open_files(
        context, data, validation, split=validation_split, seed=sweep_seed, format=format, map=map
    ) as files:
        plan = SweepPlan(
            data=path_of(data),
            validation=path_of(validation) if validation is not None else None,
            data_key=files.data_key,
            validation_key=files.validation_key,
            validation_split=validation_split if validation is None else None,
            seed=sweep_seed,
            method=chosen,
            halving=halving,
            format=format,
            map=dict(map) if map else None,
            trials=planned,
        )
        named = name or f"sweep-{plan.digest[:8]}"
        return _go_on(
            context, named, plan, files, max_cost=max_cost, evaluate=evaluate, dry_run=dry_run, progress=progress
        )


def resume_sweep(
    context: Context,
    name: str,
    *,
    max_cost: float | None = None,
    evaluate: bool = True,
    dry_run: bool = False,
    progress: Callable[[TrialResult], None] | None = None,
) -> Sweep:
    """Go on with the sweep of that name, as `sweep` would; with `dry_run`, only look how it stands.

    Raises `UsageError` where there is no such sweep, or its files are not as they were.
    """
    _checked(Method.SFT, max_cost)
    row = find_sweep(context.ledger, name)
    if row is None:
        known = sweep_names(context.ledger)
        listed = f"{did_you_mean(name, known)}Sweeps: {', '.join(known[:5])}." if known else "There is none yet."
        raise UsageError(f"there is no sweep {printable(repr(name))}", hint=listed)
    plan = read_stored(SweepPlan, row.plan)
    if plan.data is None or (plan.validation is None and plan.validation_key is not None):
        raise UsageError(
            f"the rows of sweep {name} were in no file that can be read again",
            hint="Begin it again with the same rows and options, which goes on with it.",
        )
    with open_files(
        context,
        plan.data,
        plan.validation,
        split=plan.validation_split or 0.0,
        seed=plan.seed,
        format=plan.format,
        map=plan.map,
    ) as files:
        for file, before, now in (
            (plan.data, plan.data_key, files.data_key),
            (plan.validation, plan.validation_key, files.validation_key),
        ):
            if before != now:
                raise UsageError(
                    f"{file} has changed since sweep {name} began, so that its trials could not be compared",
                    hint="Put the file back as it was, or begin a sweep of another name.",
                )
        return _go_on(
            context, name, plan, files, max_cost=max_cost, evaluate=evaluate, dry_run=dry_run, progress=progress
        )


def _checked(method: str, max_cost: float | None) -> Spec:
    """Raises `SpecError` for a method or a limit that cannot be used."""
    return make_spec(target="", data=Path(), method=method, max_cost_usd=max_cost, hyperparameters={})


def _check(name: str | None, halving: int | None, split: float, method: Method) -> None:
    check_label("name", name, LONGEST_NAME)
    if name is not None and ":" in name:
        raise UsageError(f"{name!r} cannot be the name of a sweep: it has a colon", hint="Name it otherwise.")
    if halving is not None and halving < 2:
        raise UsageError(f"halving = {halving} would stop no trial", hint="Give 2 or more: of N trials, one goes on.")
    if not 0 < split < 1:
        raise UsageError(f"validation_split = {split} cannot be used", hint="Give a share above 0 and below 1.")
    if method is Method.RFT:
        raise UsageError("a sweep compares validation losses, which rft does not have", hint="Use sft or dpo.")
    if method is Method.DISTILL:
        raise UsageError("a sweep has no teacher to distill from", hint="Use sft, on rows that `distill` has written.")


def _go_on(
    context: Context,
    name: str,
    plan: SweepPlan,
    files: SweepFiles,
    *,
    max_cost: float | None,
    evaluate: bool,
    dry_run: bool,
    progress: Callable[[TrialResult], None] | None,
) -> Sweep:
    """Begin the sweep, or go on where it stands."""
    known = find_sweep(context.ledger, name)
    if known:
        _check_same(name, plan, known.plan)
    elif filtered(context.ledger, JobFilter(group=name)) and not find_sweep(context.ledger, name):
        raise UsageError(f"the group {name} has jobs that no sweep has made", hint="Give the sweep another --name.")
    limit = known.max_cost_usd if known and max_cost is None else max_cost
    records = records_of(context, name, plan) if known else {}
    left = [trial for trial in plan.trials if trial.number not in records]
    try:
        costs = check_and_price(context, plan, left, files, limit, dry_run=dry_run)
    except FtbridgeError as problem:
        if not records:
            raise
        costs = {}  # a target may have closed meanwhile; the trials that were sent are followed all the same
        context.warn(f"the other trials of {name} may be refused: {problem.message}")
    run = Run(context, name, plan, files, limit, costs, progress)
    if not dry_run:
        if not records:
            check_any_fits(context, plan, costs, limit)
        _warn_of_uncancellable(context, plan)
        row = begin_sweep(context.ledger, name, as_stored(plan), limit)
        _check_same(name, plan, row.plan)  # another process may have begun one of that name meanwhile
        if row.max_cost_usd != limit:
            change_limit(context.ledger, name, limit)
        run_trials(run, scored=evaluate)
    use = use_of(context, [record for record in context.ledger.jobs() if is_trial_of(record, name)])
    return Sweep(
        name=name,
        held_out=files.held_out,
        rows=rows_judged(context, name),
        max_cost_usd=limit,
        usd=use.spent_usd + use.reserved_usd,
        trials=tuple(run.results()),
    )


def _check_same(name: str, plan: SweepPlan, stored: str) -> None:
    if differences := plan.differences(read_stored(SweepPlan, stored)):
        raise UsageError(
            f"there is a sweep {name} already, with other values of: {', '.join(differences)}",
            hint=f"Give this one another --name; `ftbridge sweep --resume {name}` goes on with that one.",
        )


def _warn_of_uncancellable(context: Context, plan: SweepPlan) -> None:
    if plan.halving is None:
        return
    for target in dict.fromkeys(trial.target for trial in plan.trials):
        if "cancel" not in context.provider(parse_target(target)).capabilities.verbs:
            context.warn(f"{target} cannot cancel jobs: all its trials run to their end")
