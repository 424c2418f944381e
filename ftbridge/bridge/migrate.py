"""The same job at another target: what of it is carried, what changes, and what cannot come along.

A job of the ledger, or one that ftbridge never saw, by its vendor's id (`openai:ftjob-…`), which is then
read back with its files and taken into the ledger when it is moved.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ftbridge.bridge.compare import Machine, Offer, compare
from ftbridge.bridge.differences import Difference, Old, field_by_field, terms_of
from ftbridge.bridge.rebuilding import as_job
from ftbridge.bridge.workplace import Workplace
from ftbridge.catalogue import Load
from ftbridge.errors import InputError, JobNotFound, SpecError
from ftbridge.exporting import flattened
from ftbridge.ledger import Record, moved_from, moved_to, write_move
from ftbridge.model import Event, Frozen, Hyperparameters, Job, Spec, make_spec, now
from ftbridge.provider import Exported
from ftbridge.target import Target, parse_target

_OF_SPEC = ("data", "validation", "method", "name", "max_cost_usd")


class Migration(Frozen):
    """A job and what it would be at another target.

    `job` is its id in the ledger, or the vendor's with its provider, `model` the one that it has made.
    `fields` are all of the old job's, `terms` what else is different at the new target, and `hindrances` what
    forbids going there.
    """

    job: str
    source: str
    model: str | None = None
    spec: Spec
    fields: tuple[Difference, ...]
    terms: tuple[Difference, ...]
    offers: tuple[Offer, ...]
    warnings: tuple[str, ...] = ()
    hindrances: tuple[str, ...] = ()
    exported: Exported | None = None


class Moves(Frozen):
    """The job that one was moved from, and those that it was moved to."""

    moved_from: str | None = None
    moved_to: tuple[str, ...] = ()


def plan_migration(
    place: Workplace,
    job: str,
    to: str,
    *,
    data: str | Path | None = None,
    validation: str | Path | None = None,
    **hyperparameters: Any,
) -> Migration:
    """What moving `job` to the target `to` would mean; nothing is sent.

    `data`, `validation` and hyperparameters that are given take the place of the job's own. Raises
    `InputError` where the training file cannot be had and none is given.
    """
    old = _old_job(place, job)
    target = place.target(to)
    files = {"data": data, "validation": validation}
    wanted = {**old.known, **{name: Path(file).absolute() for name, file in files.items() if file}}
    if wanted.get("data") is None or not Path(wanted["data"]).exists():
        raise InputError(
            f"the training file of {old.job} is not at hand: {'; '.join(old.said) or wanted.get('data')}",
            hint="Give the dataset with --data FILE.",
        )
    asked = {name: value for name, value in wanted.items() if name in Hyperparameters.model_fields} | hyperparameters
    spec = make_spec(
        target=str(target), hyperparameters=asked, **{name: wanted[name] for name in _OF_SPEC if name in wanted}
    )
    provider = place.provider(target)
    hindrances, kept = [], spec
    try:
        _, kept = provider.check_spec(spec, allow_ignored=True)
    except SpecError as problem:
        hindrances.append(f"{problem.message}: {problem.hint}")
    both = [str(old.target), str(target)]
    offers = {offer.target: offer for offer in compare(place, kept, both, Load(), machine=Machine())}
    new = offers[str(target)]
    if new.impossible:
        hindrances.append(f"{new.impossible} of {new.examined} rows have no form there: ftbridge check --to {target}")
    if not new.open:
        hindrances.append(next((said for said in new.warnings if "closed" in said), "it takes no new jobs"))
    return Migration(
        job=old.job,
        source=str(old.target),
        model=old.model,
        spec=kept,
        fields=tuple(field_by_field(old, kept, new, place, target)),
        terms=tuple(terms_of(place, old.target, kept, offers)),
        offers=tuple(offers.values()),
        warnings=old.said,
        hindrances=tuple(hindrances),
        exported=old.exported,
    )


def carry_out(
    place: Workplace, move: Migration, *, submit: Callable[..., Job], refresh: Callable[[str], object]
) -> Job:
    """Submit the job of the plan, and link the two; again for the same plan it is the same job.

    `refresh` brings the result and events of an old job that is new in the ledger.
    """
    if move.hindrances:
        raise SpecError(
            f"{move.job} cannot be moved to {move.spec.target}: {move.hindrances[0]}",
            hint="Choose another target, or give --data or hyperparameters that fit.",
        )
    old_id = _in_ledger(place, move)
    if old_id != move.job:
        refresh(old_id)
    spec = move.spec
    fingerprint = hashlib.sha256(spec.model_dump_json().encode()).hexdigest()[:12]
    job = submit(
        spec.data,
        spec.target,
        validation=spec.validation,
        method=str(spec.method),
        name=spec.name,
        max_cost=spec.max_cost_usd,
        key=f"{old_id} moved {fingerprint}",
        **spec.hyperparameters.given(),
    )
    write_move(place.ledger, job.id, old_id)
    return job


def moves_of(place: Workplace, job_id: str) -> Moves:
    """What the ledger tells of a job's moves."""
    return Moves(moved_from=moved_from(place.ledger, job_id), moved_to=tuple(moved_to(place.ledger, job_id)))


def _old_job(place: Workplace, job: str) -> Old:
    if ":" in job:
        known = _known(place, job)
        return _from_ledger(place, known) if known else _from_vendor(place, parse_target(job), job)
    return _from_ledger(place, place.ledger.job(job))


def _known(place: Workplace, job: str) -> Record | None:
    """The job of a vendor's id, if the ledger has it."""
    try:
        return place.ledger.job(job)
    except JobNotFound:
        return None


def _from_ledger(place: Workplace, record: Record) -> Old:
    job, spec = record.job, record.job.spec
    target = parse_target(job.target)
    if not spec.data.exists() and job.remote_id:
        return _from_vendor(place, target._replace(model=job.remote_id), job.id)
    words = {f"spec.{name}": name for name in _OF_SPEC}
    words |= {"target": "model", "spec.target": "model", "name": "name"}
    words |= {f"spec.hyperparameters.{name}": name for name in Hyperparameters.model_fields}
    known = {name: value for name in _OF_SPEC if (value := getattr(spec, name)) is not None}
    return Old(
        job=job.id,
        target=target,
        fields=flattened(job.model_dump(mode="json")),
        words=words,
        known={**known, **spec.hyperparameters.given()},
        model=job.result.model if job.result else None,
    )


def _from_vendor(place: Workplace, target: Target, job: str) -> Old:
    folder = place.home / "imports" / target.model.replace("/", "_")
    found = place.provider(target).export(target.model, folder)
    listed = found.listed
    known: dict[str, Any] = {"data": found.training, "validation": found.validation, "name": listed.name}
    if listed.method is None:
        raise SpecError(
            f"{job} was trained by a method that ftbridge does not know", hint="Train its data anew, with submit."
        )
    return Old(
        job=job,
        target=target._replace(model=listed.model or "unknown"),
        fields=found.fields,
        words=found.words,
        known={
            "method": listed.method,
            **{name: value for name, value in known.items() if value is not None},
            **listed.hyperparameters.given(),
        },
        model=listed.remote.result.model if listed.remote.result else None,
        said=found.said,
        exported=found,
    )


def _in_ledger(place: Workplace, move: Migration) -> str:
    """The old job's id here; one that its vendor alone knew is taken in, with where its files are now."""
    if move.exported is None or ":" not in move.job:
        return move.job
    listed, name = move.exported.listed, move.job.partition(":")[0]
    if known := _known(place, move.job):
        return known.job.id
    job = as_job(listed.tag or f"ftb_{secrets.token_hex(6)}", name, listed)
    spec = job.spec.model_copy(update={"data": move.spec.data, "validation": move.spec.validation})
    event = Event(at=now(), kind="message", message=f"imported from {move.job}, to be moved to {move.spec.target}")
    place.ledger.adopt(job.model_copy(update={"spec": spec}), event)
    return job.id
