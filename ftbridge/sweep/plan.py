"""What a sweep is going to do, checked and priced before anything is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from ftbridge.context import Context
from ftbridge.costs.budgets import BilledTokens, billed_tokens, check_cost, cost_of
from ftbridge.dataset import Digests
from ftbridge.dataset.data_file import data_file
from ftbridge.errors import ConfigError, DataError, OverBudget, SpecError
from ftbridge.jobs.request.kept_data import keeping, remove_unneeded
from ftbridge.jobs.request.preflight import check_open
from ftbridge.jobs.request.prepared import prepare
from ftbridge.ledger import trial_key
from ftbridge.model import Cost, Frozen, Hyperparameters, Method, Spec
from ftbridge.stored import as_stored
from ftbridge.sweep.files import SweepFiles
from ftbridge.sweep.grid import Trial, in_words
from ftbridge.target import Target, parse_target
from ftbridge.wording import clause, dollars


class SweepPlan(Frozen):
    """A sweep as the ledger keeps it: its trials, and what they train on and are judged by.

    `data` and `validation` are where the files were, `data_key` and `validation_key` the hashes of their content; a
    `validation_split` says that rows were held out by `seed`. `halving` is the eta of successive halving.
    """

    data: Path | None
    validation: Path | None
    data_key: str
    validation_key: str | None
    validation_split: float | None
    seed: int
    method: Method
    halving: int | None
    format: str | None
    map: dict[str, str] | None
    trials: tuple[Trial, ...]

    @property
    def digest(self) -> str:
        """Equal for sweeps that do the same, wherever their files are."""
        return _digest(as_stored(self.model_copy(update={"data": None, "validation": None})))

    def differences(self, other: SweepPlan) -> list[str]:
        """What the other sweep does otherwise."""
        names = {
            "data_key": "the data",
            "validation_key": "--validation",
            "validation_split": "--validation-split",
            "seed": "--sweep-seed",
            "method": "--method",
            "halving": "--halving",
            "format": "--format",
            "map": "--map",
            "trials": "the trials",
        }
        return [words for field, words in names.items() if getattr(self, field) != getattr(other, field)]


def key_of(sweep: str, trial: Trial) -> str:
    """The idempotency key of a trial: the same whenever the sweep goes on."""
    return trial_key(sweep, _digest(f"{trial.target}\n{trial.hyperparameters.model_dump_json(exclude_none=True)}"))


def lock_of(sweep: str, trial: Trial) -> str:
    """The name of the lock that is held while the trial is scored."""
    return f"score_{_digest(key_of(sweep, trial))}"


def name_of(sweep: str, trial: Trial) -> str:
    """The name of the trial's job."""
    return f"{sweep}-{trial.number}"


def check_and_price(
    context: Context,
    plan: SweepPlan,
    trials: Iterable[Trial],
    files: SweepFiles,
    max_cost: float | None,
    *,
    dry_run: bool = False,
) -> dict[int, Cost]:
    """What each of the trials may cost, by its number. Raises what would keep one of them from being submitted.

    That is a hyperparameter or data that a target does not take, a target that is closed, and with `max_cost` a price
    that is not known. A dry run needs no key.
    """
    specs = {trial: _spec(context, plan, trial, files, max_cost) for trial in trials}
    for text in dict.fromkeys(trial.target for trial in specs):
        with suppress(*((ConfigError,) if dry_run else ())):
            check_open(context, parse_target(text), plan.method)
    costs: dict[int, Cost] = {}
    counted: dict[object, BilledTokens] = {}
    try:
        with keeping(context.home):
            for trial, spec in specs.items():
                target = parse_target(trial.target)
                if not dry_run:
                    context.provider(target).check_limits(spec, target.model)
                costs[trial.number] = cost_of(context, target, spec, _tokens(context, target, spec, files, counted))
    finally:
        remove_unneeded(context.home, context.ledger)
    for trial in specs:
        cost = costs[trial.number]  # one whose bound is known is refused only where the budget has no room for it
        check_cost(context, parse_target(trial.target), cost, max_cost if cost.estimate_usd_high is None else None)
    return costs


def check_any_fits(context: Context, plan: SweepPlan, costs: Mapping[int, Cost], max_cost: float | None) -> None:
    """Raises `OverBudget` where no trial can be within the limit; warns where not all of them can."""
    priced = [costs[t.number].estimate_usd_high for t in plan.trials if not own_machine(context, t)]
    bounds = [high for high in priced if high is not None]
    if max_cost is None or not bounds or sum(bounds) <= max_cost:
        return
    if len(bounds) == len(plan.trials) and min(bounds) > max_cost:
        raise OverBudget(
            f"the cheapest trial may cost {dollars(min(bounds))}, and --max-cost is {dollars(max_cost)}",
            hint="Nothing was sent. Train fewer epochs or examples, or raise the limit; --dry-run shows all trials.",
        )
    context.warn(
        f"all {len(bounds)} trials may cost {dollars(sum(bounds))}, and --max-cost is {dollars(max_cost)}: each is sent"
        " only while what the others have cost, or may, leaves room for it"
    )


def own_machine(context: Context, trial: Trial) -> bool:
    """Whether the trial runs on the user's own machine, which no limit is for."""
    return bool(context.entry(parse_target(trial.target)).facts.own_machine)


def _tokens(
    context: Context, target: Target, spec: Spec, files: SweepFiles, counted: dict[object, BilledTokens]
) -> BilledTokens:
    """The tokens of the files at a target, which are read once for all trials that read them alike.

    Raises `DataError` for what the target does not take, by the lines of the file that was given.
    """
    settings = spec.hyperparameters
    alike = (target, settings.max_seq_length, settings.train_reasoning)
    if alike not in counted:
        tokens = billed_tokens(context, target, spec)
        rules = context.provider(target).converter(spec, target.model)
        read = partial(prepare, converter=rules, home=context.home, observer=Digests())
        if files.validation_key is None:
            read(files.given, spec=spec.model_copy(update={"format": files.given_format}), tokens=None)
        with _hint_at_split(files):
            read(data_file(files.training, files.map), spec=spec, tokens=tokens.training)
            read(data_file(files.validation, files.map), spec=spec, tokens=tokens.validation)
        counted[alike] = tokens
    return counted[alike]


@contextmanager
def _hint_at_split(files: SweepFiles) -> Iterator[None]:
    """A block in which parts of a file that is fine may be too small."""
    try:
        yield
    except DataError as problem:
        if files.validation_key is None:
            problem.hint = "Hold out another share with --validation-split, or give --validation."
        raise


def _spec(context: Context, plan: SweepPlan, trial: Trial, files: SweepFiles, max_cost: float | None) -> Spec:
    """The trial's spec. Raises `SpecError`, naming target and option, for what the target does not take."""
    spec = Spec(
        target=trial.target,
        data=Path(files.training),
        validation=Path(files.validation),
        method=plan.method,
        hyperparameters=trial.hyperparameters,
        max_cost_usd=max_cost,
        format=files.format,
        map=dict(files.map) if files.map else None,
    )
    provider = context.provider(parse_target(trial.target))
    try:
        return provider.check_spec(spec)[1]
    except SpecError as problem:
        given = trial.hyperparameters.given()
        alone = [name for name in given if _refused(context, spec, name)]
        options = f"--{alone[0].replace('_', '-')} {given[alone[0]]}" if alone else in_words(trial.hyperparameters)
        raise SpecError(
            f"{trial.target} does not take {options}: {clause(problem.message)}",
            hint="Nothing was sent. Leave the option or the target out, or sweep it apart.",
        ) from None


def _refused(context: Context, spec: Spec, name: str) -> bool:
    """Whether that hyperparameter alone is refused already."""
    alone = Hyperparameters(**{name: getattr(spec.hyperparameters, name)})
    try:
        context.provider(parse_target(spec.target)).check_spec(spec.model_copy(update={"hyperparameters": alone}))
    except SpecError:
        return True
    return False


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
