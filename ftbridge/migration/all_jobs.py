"""Moving all jobs of one provider to another target: a plan for each, one limit for all, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

from ftbridge.arguments import HyperparameterArguments
from ftbridge.context import Context
from ftbridge.errors import FtbridgeError, OverBudget
from ftbridge.files import content_key
from ftbridge.jobs.polling import poll_once
from ftbridge.ledger import Record, moved_to
from ftbridge.migration.plan import MigrationPlan, migrate, plan_migration
from ftbridge.model import Frozen, Spec, Status
from ftbridge.target import Target, parse_target
from ftbridge.wording import counted, dollars


class PlannedMove(Frozen):
    """One job of many, and what moving it would mean.

    `model` is the base that it was trained from, `changes` are the hyperparameters and files that are not carried
    unchanged, `training_usd` is for the new job, `None` where unknown. `same_as` is an earlier job of
    the plan that would be trained on the same data in the same way. `blocked_by` says why it cannot be moved,
    `moved_to` which job it has become, before or just now.
    """

    job: str
    name: str | None
    model: str
    examples: int | None = None
    changes: tuple[str, ...] = ()
    training_usd: float | None = None
    training_usd_high: float | None = None
    same_as: str | None = None
    blocked_by: str | None = None
    moved_to: str | None = None
    plan: MigrationPlan | None = None


class BulkPlan(Frozen):
    """The jobs of one provider at another target, oldest first; `done` are those that were moved there before.

    `total_usd` is the estimate for training those that can be moved, and `total_usd_high` its upper bound; `None` where
    one of them is not known.
    """

    source: str
    target: str
    moves: tuple[PlannedMove, ...]
    done: tuple[PlannedMove, ...] = ()

    @property
    def ready(self) -> tuple[PlannedMove, ...]:
        """Those that can be moved."""
        return tuple(move for move in self.moves if move.blocked_by is None)

    @property
    def total_usd(self) -> float | None:
        """Dollars for all that can be moved."""
        return _sum([move.training_usd for move in self.ready])

    @property
    def total_usd_high(self) -> float | None:
        """The upper end of that."""
        return _sum([move.training_usd_high for move in self.ready])

    def __repr__(self) -> str:
        ready = f"{len(self.ready)} of {counted(len(self.moves), 'job')} can be moved"
        return f"<BulkPlan {self.source} → {self.target}: {ready}>"


def plan_all(
    context: Context,
    source: str,
    to: str,
    *,
    only_succeeded: bool = True,
    **hyperparameters: Unpack[HyperparameterArguments],
) -> BulkPlan:
    """What moving every job of the provider `source` in the ledger to the target `to` would mean; nothing is sent.

    Jobs that were moved there before are listed apart, and those that have not succeeded are left out, unless
    `only_succeeded` is false. `hyperparameters` are for all of them. A job that cannot be moved says why and
    does not stop the others.
    """
    context.provider_named(source)  # raises for an unknown name
    target = context.target(to)
    open_ = [
        record.job.id for record in context.ledger.jobs() if record.provider == source and not record.job.status.final
    ]
    for problem in poll_once(context, open_):  # some may have succeeded by now
        context.warn(problem.message)
    moves, done = [], []
    first_of: dict[str, str] = {}
    for record in _jobs_of(context, source, only_succeeded=only_succeeded):
        if known := _moved(context, record, target):
            done.append(_line(record, moved_to=known))
            continue
        move = _planned(context, record, target, hyperparameters)
        if move.plan and move.blocked_by is None:
            first = first_of.setdefault(_training_of(move.plan.spec), move.job)
            move = move.model_copy(update={"same_as": None if first == move.job else first})
        moves.append(move)
    return BulkPlan(source=source, target=str(target), moves=tuple(moves), done=tuple(done))


def check_total(context: Context, plan: BulkPlan, max_cost: float | None) -> None:
    """Raises `OverBudget` where the jobs of the plan may cost more than `max_cost`, in US dollars, all together."""
    if max_cost is None or not plan.ready or context.entry(parse_target(plan.target)).facts.own_machine:
        return
    high = plan.total_usd_high
    if high is None:
        unknown = sum(move.training_usd_high is None for move in plan.ready)
        raise OverBudget(
            f"the price of {counted(unknown, 'job')} of {len(plan.ready)} at {plan.target} is not known, so the limit"
            f" of {dollars(max_cost)} cannot be checked",
            hint="Nothing was sent. Set the price in [catalogue] of ftbridge.toml, or remove the limit.",
        )
    if high > max_cost:
        raise OverBudget(
            f"{counted(len(plan.ready), 'job')} may cost {dollars(high)} together, and --max-cost is"
            f" {dollars(max_cost)}",
            hint="Nothing was sent. Raise the limit, or move single jobs with `ftbridge migrate JOB`.",
        )


def migrate_all(context: Context, plan: BulkPlan, *, max_cost: float | None = None) -> Iterator[PlannedMove]:
    """Submit the jobs of the plan one after the other; each is yielded with its new job, or why it was refused.

    Raises `OverBudget` before the first, as `check_total` does; each job's cost is taken off the limit for the rest.
    After an interruption, a new plan goes on with those that are left.
    """
    check_total(context, plan, max_cost)
    left = max_cost
    for move in plan.moves:
        if move.blocked_by is not None or move.plan is None:
            yield move
            continue
        try:
            job = migrate(context, move.plan, max_cost=left)
        except FtbridgeError as problem:
            yield move.model_copy(update={"blocked_by": problem.message})
            continue
        if left is not None:
            left = max(0.0, left - (job.cost.estimate_usd_high or move.training_usd_high or 0.0))
        yield move.model_copy(update={"moved_to": job.id})


def _jobs_of(context: Context, source: str, *, only_succeeded: bool) -> Iterator[Record]:
    wanted = (Status.SUCCEEDED,) if only_succeeded else tuple(Status)
    for record in context.ledger.jobs(*wanted):
        if record.provider == source and record.job.remote_id:
            yield record


def _moved(context: Context, record: Record, target: Target) -> str | None:
    """The job that this one has become at the target; one that never reached it does not count."""
    for job_id in moved_to(context.ledger, record.job.id):
        made = context.ledger.job(job_id)
        never_there = made.job.status.final and made.job.remote_id is None and not made.unconfirmed
        if made.job.target == str(target) and not never_there:
            return job_id
    return None


def _planned(context: Context, record: Record, target: Target, given: HyperparameterArguments) -> PlannedMove:
    try:
        plan = plan_migration(context, record.job.id, str(target), **given)
    except FtbridgeError as problem:
        return _line(record, blocked_by=problem.message)
    new = plan.offers[1]
    return _line(
        record,
        examples=new.examples,
        changes=tuple(dict.fromkeys(_changes(plan))),  # a grader is many fields
        training_usd=new.training_usd,
        training_usd_high=new.training_usd_high,
        blocked_by=plan.blocking[0] if plan.blocking else None,
        plan=plan,
    )


def _training_of(spec: Spec) -> str:
    """Equal for jobs that train the same: by the content of their files, and not by names, paths and limits."""
    files = [content_key(file) if file else "" for file in (spec.data, spec.validation)]
    rest = spec.model_dump_json(exclude={"data", "validation", "name", "max_cost_usd"})
    return "\n".join([*files, rest])


def _line(record: Record, **known: Any) -> PlannedMove:
    job = record.job
    return PlannedMove(job=job.id, name=job.name, model=parse_target(job.target).model, **known)


def _changes(plan: MigrationPlan) -> Iterator[str]:
    """What does not stay unchanged, each in a few words."""
    for field in plan.fields:
        name = field.name or field.field
        if field.matters and field.name in ("data", "validation"):
            yield f"{name}: {field.why}"
        elif field.matters:
            yield f"{name} {field.value} → {field.becomes}" if field.outcome == "changed" else f"no {name}"


def _sum(parts: list[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
