"""The same job at another target: what of it is carried, what changes, and what cannot come along.

A job of the ledger, or one that ftbridge never saw, by its vendor's id (`openai:ftjob-…`), which is then
read back with its files and taken into the ledger when it is moved.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ftbridge.bridge.compare import Machine, Offer, compare
from ftbridge.bridge.rebuilding import as_job
from ftbridge.bridge.workplace import Workplace
from ftbridge.catalogue import Load
from ftbridge.errors import InputError, JobNotFound, SpecError
from ftbridge.exporting import flattened
from ftbridge.ledger import Record, moved_from, moved_to, write_move
from ftbridge.model import Event, Frozen, Hyperparameters, Job, Method, Spec, make_spec, now
from ftbridge.provider import Exported
from ftbridge.target import Target, parse_target

_OF_SPEC = ("data", "validation", "method", "name", "max_cost_usd")

_UNITS = {
    "epochs": "passes over the data",
    "batch_size": "examples a step",
    "learning_rate": "a step, absolute",
    "learning_rate_multiplier": "times a rate that the vendor does not tell",
    "warmup_ratio": "of all steps",
    "max_seq_length": "tokens",
}


class Difference(Frozen):
    """One field of the old job, or one term of the new one: carried as it is, changed, or left behind, and why.

    `value` is the vendor's own, `becomes` what it is in the new job, both in `unit` where they have one.
    """

    field: str
    value: Any
    unit: str = ""
    outcome: Literal["carried", "changed", "left"]
    becomes: Any = None
    why: str = ""


class Migration(Frozen):
    """A job and what it would be at another target.

    `job` is its id in the ledger, or the vendor's with its provider. `fields` are all of the old job's,
    `terms` what else is different at the new target, and `hindrances` what forbids going there.
    """

    job: str
    source: str
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


class _Old(Frozen):
    """The old job in one shape, wherever it is from."""

    job: str
    target: Target
    fields: Mapping[str, Any]
    words: Mapping[str, str]
    known: Mapping[str, Any]
    said: tuple[str, ...] = ()
    exported: Exported | None = None


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
        spec=kept,
        fields=tuple(_fields(old, kept, new, place, target)),
        terms=tuple(_terms(place, old.target, target, kept.method, offers)),
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


def _old_job(place: Workplace, job: str) -> _Old:
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


def _from_ledger(place: Workplace, record: Record) -> _Old:
    job, spec = record.job, record.job.spec
    target = parse_target(job.target)
    if not spec.data.exists() and job.remote_id:
        return _from_vendor(place, target._replace(model=job.remote_id), job.id)
    words = {f"spec.{name}": name for name in _OF_SPEC}
    words |= {"target": "model", "spec.target": "model", "name": "name"}
    words |= {f"spec.hyperparameters.{name}": name for name in Hyperparameters.model_fields}
    known = {name: value for name in _OF_SPEC if (value := getattr(spec, name)) is not None}
    return _Old(
        job=job.id,
        target=target,
        fields=flattened(job.model_dump(mode="json")),
        words=words,
        known={**known, **spec.hyperparameters.given()},
    )


def _from_vendor(place: Workplace, target: Target, job: str) -> _Old:
    folder = place.home / "imports" / target.model.replace("/", "_")
    found = place.provider(target).export(target.model, folder)
    listed = found.listed
    known: dict[str, Any] = {"data": found.training, "validation": found.validation, "name": listed.name}
    if listed.method is None:
        raise SpecError(
            f"{job} was trained by a method that ftbridge does not know", hint="Train its data anew, with submit."
        )
    return _Old(
        job=job,
        target=target._replace(model=listed.model or "unknown"),
        fields=found.fields,
        words=found.words,
        known={
            "method": listed.method,
            **{name: value for name, value in known.items() if value is not None},
            **listed.hyperparameters.given(),
        },
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


def _fields(old: _Old, spec: Spec, new: Offer, place: Workplace, target: Target) -> Iterator[Difference]:
    able = place.provider(target).capabilities.hyperparameters
    given = spec.hyperparameters.given()
    for field, value in old.fields.items():
        word = old.words.get(field)
        if word is None:
            yield Difference(field=field, value=value, outcome="left", why=_of_old_job(value))
        elif word in Hyperparameters.model_fields:
            yield _hyperparameter(field, value, word, old.known.get(word), given, able.get(word))
        elif word == "model":
            yield Difference(field=field, value=value, outcome="changed", becomes=str(target), why="the new target")
        elif word == "events":
            why = "they stay with the old job, in the ledger once it is moved"
            yield Difference(field=field, value=value, outcome="carried", why=why)
        elif word in ("data", "validation"):
            yield _file(field, value, getattr(spec, word), new if word == "data" else None)
        else:
            becomes = getattr(spec, word)
            same = becomes == old.known.get(word) and value is not None
            left = "there was none" if value is None else "it does not fit"
            outcome: Literal["carried", "left"] = "carried" if same else "left"
            yield Difference(field=field, value=value, outcome=outcome, becomes=becomes, why="" if same else left)


def _hyperparameter(
    field: str, value: Any, word: str, known: Any, given: Mapping[str, Any], handling: Any
) -> Difference:
    unit = _UNITS.get(word, "")
    if word in given:
        becomes, named = given[word], f"{handling.to} there" if handling and handling.to else ""
        if becomes == known:
            return Difference(field=field, value=value, unit=unit, outcome="carried", becomes=becomes, why=named)
        why = named or "as asked"
        return Difference(field=field, value=value, unit=unit, outcome="changed", becomes=becomes, why=why)
    if value in (None, "auto"):
        return Difference(field=field, value=value, outcome="left", why="the vendor chose it; so does the new target")
    if known is None:
        return Difference(field=field, value=value, outcome="left", why=f"no value that {word} can have elsewhere")
    note = handling.note if handling is not None and handling.note else f"the target has no {word}"
    return Difference(field=field, value=value, unit=unit, outcome="left", why=note)


def _file(field: str, value: Any, file: Path | None, new: Offer | None) -> Difference:
    if file is None:
        why = "there was none" if not value else "it could not be read back"
        return Difference(field=field, value=value, outcome="left", why=why)
    if new is None or not new.changed:
        return Difference(field=field, value=value, outcome="carried", becomes=str(file))
    changes = ", ".join(f"{code} in {count}" for code, count in new.changed.items())
    why = f"of {new.examined} rows: {changes}"
    return Difference(field=field, value=value, outcome="changed", becomes=str(file), why=why)


def _of_old_job(value: Any) -> str:
    return "it is empty" if value in (None, "", [], {}) else "it belongs to the old job alone"


def _terms(
    place: Workplace, old: Target, new: Target, method: Method, offers: Mapping[str, Offer]
) -> Iterator[Difference]:
    """What is different beside the job itself: a price is for the data and hyperparameters of the new job."""
    context = "dpo_context_tokens" if method is Method.DPO else "sft_context_tokens"
    before, after = offers[str(old)], offers[str(new)]
    terms = {
        "context, tokens": (getattr(place.entry(old).facts, context), getattr(place.entry(new).facts, context)),
        "training, US dollars": (before.training_usd, after.training_usd),
        "closes on": (before.closes_on, after.closes_on),
    }
    for name, (value, becomes) in terms.items():
        unknown = "not known before" if value is None else "not known there" if becomes is None else ""
        outcome: Literal["carried", "changed"] = "carried" if value == becomes else "changed"
        yield Difference(field=name, value=value, outcome=outcome, becomes=becomes, why=unknown)
