"""The job that is to be moved: from the ledger, or read back from its vendor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftbridge.context import Context
from ftbridge.errors import FtbridgeError, JobNotFound, SpecError
from ftbridge.foreign.names import plain_name
from ftbridge.jobs.recovery.importing import add_jobs, as_job, ledger_id, name_of, tag_of
from ftbridge.ledger import Record, moved_from
from ftbridge.model import Frozen
from ftbridge.provider import ImportedJob
from ftbridge.provider.importing import field_meanings, flattened
from ftbridge.target import Target, parse_target

OF_FILES = ("format", "map")
"""How the files of a spec are read."""

OF_SPEC = ("data", "validation", "method", "grader", "response_format", "teacher", "name", "max_cost_usd", *OF_FILES)
"""What a spec has besides its target and hyperparameters."""


class SourceJob(Frozen):
    """The old job in one form, wherever it is from.

    `fields` are its own, `words` ftbridge's names for those that have one, `known` the values of its spec by name, and
    `model` is its tuned model.
    """

    job: str
    target: Target
    fields: Mapping[str, Any]
    words: Mapping[str, str]
    known: Mapping[str, Any]
    model: str | None = None
    warnings: tuple[str, ...] = ()
    exported: ImportedJob | None = None


def find_source(context: Context, job: str) -> SourceJob:
    """The job of the ledger, or `provider:name` with the vendor's ID of a job or the name of a tuned model.

    A name, or "last", that now means a job which was made by moving another one still means that one, so that the same
    words always move the same job.

    Raises `JobNotFound` where the ledger has no such job, and `NotFound` where the vendor has none.
    """
    if ":" not in job:
        return _from_ledger(context, _original(context, context.record(job), job))
    if known := _known(context, job):
        return _from_ledger(context, known)
    target = parse_target(job)
    target = target._replace(model=context.provider(target).find_job_of_model(target.model))
    if known := _known(context, str(target)):
        return _from_ledger(context, known)
    return _from_vendor(context, target, str(target))


def _original(context: Context, record: Record, reference: str) -> Record:
    while not record.job.id.startswith(reference) and (older := moved_from(context.ledger, record.job.id)):
        record = context.record(older)
    return record


def in_ledger(
    context: Context, old: str, exported: ImportedJob | None, files: Mapping[str, Path | None], why: str
) -> str:
    """The old job's ID in the ledger, into which it is imported if necessary, with the paths of its files."""
    if exported is None or ":" not in old:
        return old
    if known := _known(context, old):
        return known.job.id
    name, listed = old.partition(":")[0], exported.listed
    job = as_job(tag_of(listed) or ledger_id(name, listed.remote.remote_id), name, context.provider_named(name), listed)
    job = job.model_copy(update={"spec": job.spec.model_copy(update=dict(files))})
    add_jobs(context, name, [job], why)
    return job.id


def _known(context: Context, job: str) -> Record | None:
    """The job with a vendor's ID or model, if the ledger has it."""
    try:
        return context.record(job)
    except JobNotFound:
        return None


def _from_ledger(context: Context, record: Record) -> SourceJob:
    """The job as the ledger has it or, if its files are not on this machine, as its vendor has it, if it can."""
    job, spec = record.job, record.job.spec
    target, warnings = parse_target(job.target), []
    missing = [name for name in ("data", "validation") if (file := getattr(spec, name)) and not _is_here(file)]
    if missing and job.remote_id:
        try:
            return _from_vendor(context, target._replace(model=job.remote_id), job.id)
        except FtbridgeError as problem:
            warnings.append(problem.message)
    known = {f"spec.{name}": name for name in OF_SPEC} | {"target": "model", "spec.target": "model", "name": "name"}
    values = {name: value for name in OF_SPEC if (value := getattr(spec, name)) is not None and name not in missing}
    fields = flattened(job.model_dump(mode="json"))
    return SourceJob(
        job=job.id,
        target=target,
        fields=fields,
        words=field_meanings(fields, known, {}, within=("spec.hyperparameters",)),
        known={**values, **spec.hyperparameters.given()},
        model=job.result.model if job.result else None,
        warnings=(*(f"{getattr(spec, name)} is not on this machine" for name in missing), *warnings),
    )


def _is_here(file: Path) -> bool:
    """Whether it is a file on this machine: files of imported jobs have only the vendor's name."""
    return file.is_absolute() and file.exists()


def _from_vendor(context: Context, target: Target, job: str) -> SourceJob:
    folder = context.home / "imports" / plain_name(target.model)
    found = context.provider(target).import_job(target.model, folder)
    listed = found.listed
    if listed.method is None:
        raise SpecError(
            f"{job} was trained with a method that ftbridge does not know", hint="Submit its data as a new job."
        )
    known: dict[str, Any] = {
        "data": found.training,
        "validation": found.validation,
        "method": listed.method,
        "grader": listed.grader,
        "response_format": listed.response_format,
        "name": name_of(listed),
    }
    return SourceJob(
        job=job,
        target=target._replace(model=listed.model or "unknown"),
        fields=found.fields,
        words=found.meanings,
        known={name: value for name, value in known.items() if value is not None} | listed.hyperparameters.given(),
        model=listed.remote.result.model if listed.remote.result else None,
        warnings=found.warnings,
        exported=found,
    )
