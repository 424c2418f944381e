"""The same job at another target: what is carried, changed and dropped.

The job is in the ledger, or it is one that ftbridge did not create, named by its vendor's ID (`openai:ftjob-…`) or by
its model (`openai:ft:…`), which is then read back with its files and imported into the ledger when it is moved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from ftbridge.arguments import HyperparameterArguments
from ftbridge.catalogue import today
from ftbridge.comparison.compare import compare_spec
from ftbridge.comparison.offers import Machine, Offer
from ftbridge.context import Context
from ftbridge.costs.quote import Load
from ftbridge.dataset.data_file import data_file
from ftbridge.errors import InputError, SpecError
from ftbridge.jobs.listing import refresh
from ftbridge.jobs.submit import submit
from ftbridge.ledger import moved_from, moved_to, write_move
from ftbridge.migration.differences import Difference, field_by_field, terms_of
from ftbridge.migration.source import OF_FILES, OF_SPEC, SourceJob, find_source, in_ledger
from ftbridge.model import Frozen, Job, Spec, Status
from ftbridge.provider import ImportedJob
from ftbridge.spec import make_spec
from ftbridge.target import Target
from ftbridge.wording import clause

_A_MONTH = Load(months=1)
_IN_VAIN = (Status.FAILED, Status.CANCELLED)


class MigrationPlan(Frozen):
    """A job and what it would be at another target.

    `job` is its ID in the ledger, or the vendor's with its provider, `model` the tuned model. `fields` are all of the
    old job's, `terms` what else is different at the new target, and `blocking` the reasons why it cannot be moved
    there. `offers` are two: the old job as it was, and the new one as it would be submitted, each with a month of what
    its model costs there.
    """

    job: str
    source: str
    model: str | None = None
    spec: Spec
    fields: tuple[Difference, ...]
    terms: tuple[Difference, ...]
    offers: tuple[Offer, Offer]
    warnings: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    exported: ImportedJob | None = None

    def __repr__(self) -> str:
        blocked = f", blocked: {self.blocking[0]}" if self.blocking else ""
        return f"<MigrationPlan {self.job} {self.source} → {self.spec.target}{blocked}>"


class MoveHistory(Frozen):
    """The job that one was moved from, and those that it was moved to."""

    moved_from: str | None = None
    moved_to: tuple[str, ...] = ()


def plan_migration(
    context: Context,
    job: Job | str,
    to: str,
    *,
    data: str | Path | None = None,
    validation: str | Path | None = None,
    max_cost: float | None = None,
    **hyperparameters: Unpack[HyperparameterArguments],
) -> MigrationPlan:
    """What moving a job to another target would mean: what is carried, changed or dropped; nothing is sent.

    `job` is one of the ledger, or one that ftbridge did not create: `provider:id`, or `provider:model` with its model.
    `data`, `validation`, `max_cost` in US dollars and hyperparameters replace the job's own. Raises `InputError` where
    the training file is not available and none is given, and as `find_source` does.
    """
    old, target = find_source(context, job if isinstance(job, str) else job.id), context.target(to)
    files = {"data": data, "validation": validation}
    given: dict[str, Any] = {name: Path(file).absolute() for name, file in files.items() if file}
    given |= {"max_cost_usd": max_cost, **hyperparameters}
    before_spec = _spec(old, old.target, {"data": old.known.get("data") or given.get("data")})
    after_spec, blocking = _fitted(context, target, _spec(old, target, given))
    before, after = _offers(context, before_spec, after_spec)
    closed, warnings = _closed(context, target)
    if after.impossible:
        blocking.append(
            f"{after.impossible} of {after.examined} rows cannot be converted: ftbridge check --to {target}"
        )
    return MigrationPlan(
        job=old.job,
        source=str(old.target),
        model=old.model,
        spec=after_spec,
        fields=tuple(field_by_field(old, after_spec, after, context.provider(target).capabilities)),
        terms=tuple(terms_of(context, old.target, target, after_spec, before, after)),
        offers=(before, after),
        warnings=(*old.warnings, *warnings),
        blocking=(*blocking, *closed),
        exported=old.exported,
    )


def migrate(context: Context, plan: MigrationPlan, *, max_cost: float | None = None, again: bool = False) -> Job:
    """Submit the job of a plan, and link it to the old one, which is imported into the ledger if necessary.

    The same plan always gives the same job. With `again` it is moved once more where that one failed, was cancelled,
    or its model was deleted; the last is refused without it. `max_cost`, in US dollars, is a limit beside the plan's.
    """
    spec = plan.spec
    if plan.blocking:
        raise SpecError(
            f"{plan.job} cannot be moved to {spec.target}: {plan.blocking[0]}",
            hint="Choose another target, or give a dataset or hyperparameters that fit.",
        )
    why = f"imported from {plan.job}, to be moved to {spec.target}"
    files = {"data": spec.data, "validation": spec.validation}
    old_id = in_ledger(context, plan.job, plan.exported, files, why)
    if old_id != plan.job:
        refresh(context, old_id)
    limits = [limit for limit in (spec.max_cost_usd, max_cost) if limit is not None]
    hyperparameters: dict[str, Any] = spec.hyperparameters.given()
    job = submit(
        context,
        spec.data,
        spec.target,
        validation=spec.validation,
        method=str(spec.method),
        grader=spec.grader,
        response_format=spec.response_format,
        teacher=spec.teacher,
        name=spec.name,
        max_cost=min(limits, default=None),
        format=spec.format,
        map=spec.map,
        idempotency_key=_key(context, old_id, spec, again=again),
        **hyperparameters,
    )
    write_move(context.ledger, job.id, old_id)
    if job.status in _IN_VAIN:
        context.warn(f"the move ended before as {job.id}, which is {job.status}; {_moves_again(old_id, spec)}")
    return job


def _key(context: Context, old_id: str, spec: Spec, *, again: bool) -> str:
    """The idempotency key of the move; raises `SpecError` where its job is done and its model deleted."""
    key = f"{old_id} moved {_fingerprint(spec)}"
    while known := context.ledger.by_key(key):
        deleted = not known.request_hash  # which is emptied with the model
        if deleted and not again:
            raise SpecError(
                f"{old_id} was moved to {spec.target} before, as {known.job.id}, whose model was deleted",
                hint=f"{_moves_again(old_id, spec)}.",
            )
        in_vain = known.job.status in _IN_VAIN and not known.is_unclear
        if not again or not (deleted or in_vain):
            return key
        key = f"{key} after {known.job.id}"
    return key


def _moves_again(old_id: str, spec: Spec) -> str:
    return f"`ftbridge migrate {old_id} --to {spec.target} --again` moves it once more"


def moves_of(context: Context, job: Job | str) -> MoveHistory:
    """Which job this one was moved from, and which jobs it was moved to."""
    job_id = context.record(job).job.id
    return MoveHistory(moved_from=moved_from(context.ledger, job_id), moved_to=tuple(moved_to(context.ledger, job_id)))


def _spec(old: SourceJob, target: Target, given: Mapping[str, Any]) -> Spec:
    """The old job's spec at a target, with the given values in place of its own."""
    wanted = {**old.known, **{name: value for name, value in given.items() if value is not None}}
    if wanted.get("data") != old.known.get("data"):  # another file, which need not be read in the same way
        wanted = {name: value for name, value in wanted.items() if name not in OF_FILES}
    data = wanted.get("data")
    if data is None or not Path(data).exists():
        raise InputError(
            f"the training file of {old.job} is not available: {'; '.join(old.warnings) or data}",
            hint="Give the dataset: --data FILE, or data= in Python.",
        )
    own = {name: wanted[name] for name in OF_SPEC if name in wanted}
    rest = {name: value for name, value in wanted.items() if name not in OF_SPEC}
    return make_spec(target=str(target), hyperparameters=rest, **own)


def _fitted(context: Context, target: Target, spec: Spec) -> tuple[Spec, list[str]]:
    """The spec as the target accepts it, and the reasons why it does not accept it at all."""
    try:
        return context.provider(target).check_spec(spec, allow_ignored=True)[1], []
    except SpecError as problem:
        return spec, [f"{clause(problem.message)}: {problem.hint}"]


def _offers(context: Context, before: Spec, after: Spec) -> tuple[Offer, Offer]:
    """The old job at its old target as it was, and the new one as it would be submitted."""
    same_work = before.model_copy(update={"target": after.target}) == after
    if same_work and before.target != after.target:  # one reading of the dataset is enough
        offers = {offer.target: offer for offer in _compared(context, after, before.target, after.target)}
        return offers[before.target], offers[after.target]
    return _compared(context, before, before.target)[0], _compared(context, after, after.target)[0]


def _compared(context: Context, spec: Spec, *targets: str) -> list[Offer]:
    files = data_file(spec.data, spec.map), data_file(spec.validation, spec.map) if spec.validation else None
    return compare_spec(context, spec, targets, _A_MONTH, machine=Machine(), format=spec.format, files=files)


def _closed(context: Context, target: Target) -> tuple[list[str], list[str]]:
    """That the target takes no new jobs: blocking at the vendor itself, a warning at a mock or another address."""
    entry = context.entry(target)
    closed = entry.closed_on(today())
    if closed is None:
        return [], []
    why = f"{entry.facts.closing or f'{target} takes no new jobs'} (since {closed})"
    if context.provider(target).connects_to_vendor:
        return [why], []
    return [], [f"{why}; {target} is not the vendor itself, so it is tried all the same"]


def _fingerprint(spec: Spec) -> str:
    """Equal for plans of the same job, whatever their cost limit; how files are read belongs to the files."""
    unlimited = spec.model_copy(update={"max_cost_usd": None})
    return hashlib.sha256(unlimited.model_dump_json(exclude={*OF_FILES}).encode()).hexdigest()[:12]
