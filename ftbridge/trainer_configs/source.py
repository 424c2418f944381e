"""What a config is made of: a data file, or a job of the ledger with its own files and settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ftbridge.context import Context
from ftbridge.dataset.reading.given import Given
from ftbridge.errors import InputError, JobNotFound, UsageError
from ftbridge.jobs.listing import events
from ftbridge.jobs.training import Training
from ftbridge.model import Hyperparameters, Job, Method
from ftbridge.target import parse_target


class Source(NamedTuple):
    """Files, how they are read, and what is known of the training; `job` is the one that has them."""

    data: Given
    validation: Given | None = None
    method: Method | None = None
    format: str | None = None
    map: Mapping[str, str] | None = None
    hyperparameters: Mapping[str, Any] = {}
    job: Job | None = None


def find_source(context: Context, given: Given | Job) -> Source:
    """A job where no file has that name, else data. Raises `UsageError` for a text that is neither."""
    if isinstance(given, Job):
        return _of_job(context, given)
    if not isinstance(given, str) or given == "-" or Path(given).exists():
        return Source(given)
    try:
        return _of_job(context, context.record(given).job)
    except JobNotFound:
        hint = "Name a dataset, or a job as `ftbridge jobs` lists it."
        raise UsageError(f"{given} is neither a file nor a job", hint=hint) from None


def _of_job(context: Context, job: Job) -> Source:
    spec, validation = job.spec, job.spec.validation
    if not spec.data.exists():
        raise InputError(
            f"the training file of {job.id} is gone: {spec.data}",
            hint="Give a dataset in place of the job, and its hyperparameters as options.",
        )
    if validation and not validation.exists():
        context.warn(f"the validation file of {job.id} is gone, so none is written: {validation}")
        validation = None
    known = {**_used(context, job), **spec.hyperparameters.given()}
    return Source(spec.data, validation, spec.method, spec.format, spec.map, known, job)


def _used(context: Context, job: Job) -> dict[str, Any]:
    """What the job has trained with, where its provider is this machine: vendors' values mean other things."""
    if not context.provider(parse_target(job.target)).keeps_jobs_at_home:
        return {}
    known = Training.of(job, events(context, job)).hyperparameters
    return {name: one["value"] for name, one in known.items() if name in Hyperparameters.model_fields}


def find_model(context: Context, source: Source, named: str | None) -> str:
    """What other programs load the model by: a name at the hub, or a folder.

    Raises `UsageError` where none is named, and as `Provider.model_for_others` does.
    """
    if named is None and source.job is None:
        raise UsageError("there is no model to train", hint="Give --model ORGANISATION/NAME, or a folder.")
    if named is not None and ":" not in named and named not in context.config.targets:
        return str(Path(named).absolute()) if Path(named).exists() else named
    target = context.target(named) if named is not None else parse_target(source.job.target if source.job else "")
    return context.provider(target).model_for_others(target.model)
