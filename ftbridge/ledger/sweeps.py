"""Sweeps: what each tries, its limit, and what was decided about its trials. Its jobs are the group of its name."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ftbridge.ledger.record import Record
from ftbridge.ledger.schema import sweeps, trials
from ftbridge.ledger.store import Ledger
from ftbridge.model import Frozen, now


class SweepRow(Frozen):
    """A sweep; `plan` is its plan as JSON, and all its jobs together may cost `max_cost_usd`."""

    name: str
    plan: str
    max_cost_usd: float | None


class TrialRow(Frozen):
    """What was decided about one trial, as JSON: why it was `stopped` early, and its `evaluation`."""

    stopped: str | None = None
    evaluation: str | None = None


def trial_key(sweep: str, digest: str) -> str:
    """The idempotency key of the trial whose target and hyperparameters have that digest."""
    return f"sweep:{sweep}:{digest}"


def is_trial_of(record: Record, sweep: str) -> bool:
    """Whether the job is one of the sweep's: by its group, or by its key where it was requested before the sweep."""
    return record.job.group == sweep or (record.key or "").startswith(trial_key(sweep, ""))


def begin_sweep(ledger: Ledger, name: str, plan: str, max_cost_usd: float | None) -> SweepRow:
    """Add the sweep, or return the one of that name as it is."""
    row = {"name": name, "plan": plan, "max_cost_usd": max_cost_usd, "created_at": now().isoformat()}
    try:
        with ledger.writing() as connection:
            connection.execute(insert(sweeps).values(row))
    except IntegrityError:  # it was begun before, or is by another process
        pass
    found = find_sweep(ledger, name)
    assert found
    return found


def find_sweep(ledger: Ledger, name: str) -> SweepRow | None:
    """The sweep of that name."""
    with ledger.reading() as connection:
        row = connection.execute(select(sweeps).where(sweeps.c.name == name)).first()
    return SweepRow(name=row.name, plan=row.plan, max_cost_usd=row.max_cost_usd) if row else None


def sweep_names(ledger: Ledger) -> list[str]:
    """The names of all sweeps, newest first."""
    query = select(sweeps.c.name).order_by(sweeps.c.created_at.desc(), sweeps.c.name)
    with ledger.reading() as connection:
        return list(connection.execute(query).scalars())


def change_limit(ledger: Ledger, name: str, max_cost_usd: float | None) -> None:
    """From now on, the jobs of the sweep together may cost so much."""
    with ledger.writing() as connection:
        connection.execute(update(sweeps).where(sweeps.c.name == name).values(max_cost_usd=max_cost_usd))


def trial_rows(ledger: Ledger, sweep: str) -> dict[int, TrialRow]:
    """What was decided about trials of the sweep, by their numbers."""
    with ledger.reading() as connection:
        rows = connection.execute(select(trials).where(trials.c.sweep == sweep)).all()
    return {row.number: TrialRow(stopped=row.stopped, evaluation=row.evaluation) for row in rows}


def decide(ledger: Ledger, sweep: str, number: int, field: Literal["stopped", "evaluation"], document: str) -> TrialRow:
    """Commit what was decided about a trial, unless that was decided before; the row as it is then."""
    values: dict[str, Any] = {field: document}
    this = (trials.c.sweep == sweep) & (trials.c.number == number)
    try:
        with ledger.writing() as connection:
            connection.execute(insert(trials).values(sweep=sweep, number=number, **values))
    except IntegrityError:
        with ledger.writing() as connection:
            connection.execute(update(trials).where(this & trials.c[field].is_(None)).values(values))
    return trial_rows(ledger, sweep)[number]
