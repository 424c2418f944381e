"""Which open job starts from a model or checkpoint that is about to be removed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ftbridge.ledger import OpenJob, Record
from ftbridge.target import parse_target

_ID_BEGINS = "ftb_"


def starts_from(jobs: Iterable[OpenJob], provider: str, name: str) -> OpenJob | None:
    """The first of the open jobs at that provider that starts from the model or checkpoint of that name."""
    there = (job for job in jobs if job.provider == provider)
    return next((job for job in there if _is_in(parse_target(job.target).model, name)), None)


def starts_from_result(jobs: Iterable[OpenJob], record: Record) -> OpenJob | None:
    """The first of the open jobs that starts from the result of `record`, by its name or by the job's ID."""
    for job in jobs:
        if job.provider != record.provider:
            continue
        model, result = parse_target(job.target).model, record.job.result
        if model.startswith(_ID_BEGINS) and record.job.id.startswith(model):
            return job
        if result and result.model and _is_in(model, result.model):
            return job
    return None


def _is_in(model: str, name: str) -> bool:
    path = Path(model).expanduser()
    return model == name or (path.is_absolute() and path.is_relative_to(name))
