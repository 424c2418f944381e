"""All of one provider's jobs at another target: a plan for each, one limit over all, and nothing done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ftbridge.bridge.migrate import Migration, carry_out, plan_migration
from ftbridge.bridge.workplace import Workplace
from ftbridge.catalogue import counted, dollars
from ftbridge.errors import FtbridgeError, OverBudget
from ftbridge.ledger import Record, moved_to
from ftbridge.model import Frozen, Job, Status
from ftbridge.target import Target, parse_target


class Move(Frozen):
    """One job of many, and what moving it would mean.

    `model` is the base that it was trained from, `changes` are the hyperparameters and terms of the data that are not
    carried as they were, dollars those of the new job's training, `None` where unknown. `hindrance` says why it cannot
    be moved, `moved_to` which job it has become, before or just now.
    """

    job: str
    name: str | None
    model: str
    examples: int | None = None
    changes: tuple[str, ...] = ()
    training_usd: float | None = None
    training_usd_high: float | None = None
    hindrance: str | None = None
    moved_to: str | None = None
    plan: Migration | None = None


class MassMove(Frozen):
    """The jobs of one provider at another target, oldest first; `done` are those that were moved there before.

    `total_usd` is what training those that can be moved should come to, and `total_usd_high` at most; `None` where
    that is not known of all.
    """

    source: str
    target: str
    moves: tuple[Move, ...]
    done: tuple[Move, ...] = ()

    @property
    def ready(self) -> tuple[Move, ...]:
        """Those that can be moved."""
        return tuple(move for move in self.moves if move.hindrance is None)

    @property
    def total_usd(self) -> float | None:
        """Dollars for all that can be moved."""
        return _sum([move.training_usd for move in self.ready])

    @property
    def total_usd_high(self) -> float | None:
        """The upper end of that."""
        return _sum([move.training_usd_high for move in self.ready])


def plan_all(place: Workplace, source: str, to: str, *, only_succeeded: bool = True, **given: Any) -> MassMove:
    """What moving every job of the provider `source` in the ledger to the target `to` would mean; nothing is sent.

    Those that were moved there before are left out, and so are those that have not succeeded, unless
    `only_succeeded` is false. `given` are hyperparameters for all of them. A job that cannot be moved says why, and
    hinders no other.
    """
    place.named(source)  # a name that nobody has is a mistake, and not an account without jobs
    target = place.target(to)
    moves, done = [], []
    for record in _jobs_of(place, source, only_succeeded=only_succeeded):
        if known := _moved(place, record, target):
            done.append(_line(record, moved_to=known))
        else:
            moves.append(_planned(place, record, target, given))
    return MassMove(source=source, target=str(target), moves=tuple(moves), done=tuple(done))


def check_total(place: Workplace, plan: MassMove, max_cost: float | None) -> None:
    """Raises `OverBudget` where the jobs of the plan may cost more than `max_cost`, in US dollars, all together."""
    if max_cost is None or not plan.ready or place.entry(parse_target(plan.target)).facts.own_machine:
        return
    high = plan.total_usd_high
    if high is None:
        unknown = sum(move.training_usd_high is None for move in plan.ready)
        raise OverBudget(
            f"what {counted(unknown, 'job')} of {len(plan.ready)} would cost at {plan.target} is not known, and so not"
            f" whether all stay within {dollars(max_cost)}",
            hint="Nothing was sent. Name the price in [catalogue] of ftbridge.toml, or leave the limit out.",
        )
    if high > max_cost:
        raise OverBudget(
            f"{counted(len(plan.ready), 'job')} may cost {dollars(high)} together, and --max-cost is"
            f" {dollars(max_cost)}",
            hint="Nothing was sent. Raise the limit, or move single jobs with `ftbridge migrate JOB`.",
        )


def carry_out_all(
    place: Workplace,
    plan: MassMove,
    *,
    submit: Callable[..., Job],
    refresh: Callable[[str], object],
    max_cost: float | None = None,
) -> Iterator[Move]:
    """Submit the jobs of the plan one after the other, each as it has become; one that is refused says why.

    Raises `OverBudget` before the first, as `check_total` does; what the first have cost is then no more allowed to
    the others. Broken off and planned anew, it goes on with those that are left.
    """
    check_total(place, plan, max_cost)
    left = max_cost
    for move in plan.moves:
        if move.hindrance is not None or move.plan is None:
            yield move
            continue
        try:
            job = carry_out(place, move.plan, submit=submit, refresh=refresh, max_cost=left)
        except FtbridgeError as problem:
            yield move.model_copy(update={"hindrance": problem.message})
            continue
        if left is not None:
            left = max(0.0, left - (job.cost.estimate_usd_high or move.training_usd_high or 0.0))
        yield move.model_copy(update={"moved_to": job.id})


def _jobs_of(place: Workplace, source: str, *, only_succeeded: bool) -> Iterator[Record]:
    wanted = (Status.SUCCEEDED,) if only_succeeded else tuple(Status)
    for record in place.ledger.jobs(*wanted):
        if record.provider == source and record.job.remote_id:
            yield record


def _moved(place: Workplace, record: Record, target: Target) -> str | None:
    """The job that this one has become at the target; one that never got there does not count."""
    for job_id in moved_to(place.ledger, record.job.id):
        made = place.ledger.job(job_id)
        never_there = made.job.status.final and made.job.remote_id is None and not made.may_be_there
        if made.job.target == str(target) and not never_there:
            return job_id
    return None


def _planned(place: Workplace, record: Record, target: Target, given: dict[str, Any]) -> Move:
    try:
        plan = plan_migration(place, record.job.id, str(target), **given)
    except FtbridgeError as problem:
        return _line(record, hindrance=problem.message)
    new = plan.offers[1]
    return _line(
        record,
        examples=new.examples,
        changes=tuple(dict.fromkeys(_changes(plan))),  # a grader is many fields
        training_usd=new.training_usd,
        training_usd_high=new.training_usd_high,
        hindrance=plan.hindrances[0] if plan.hindrances else None,
        plan=plan,
    )


def _line(record: Record, **known: Any) -> Move:
    job = record.job
    return Move(job=job.id, name=job.name, model=parse_target(job.target).model, **known)


def _changes(plan: Migration) -> Iterator[str]:
    """What does not stay as it was, each by our word or by its own, in a few words."""
    for field in plan.fields:
        name = field.word or field.field
        if field.matters and field.word in ("data", "validation"):
            yield f"{name}: {field.why}"
        elif field.matters:
            yield f"{name} {field.value} → {field.becomes}" if field.outcome == "changed" else f"no {name}"


def _sum(parts: list[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
