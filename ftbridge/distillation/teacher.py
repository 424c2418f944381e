"""Whose answers they are: the model of a target, or the one that a job has made."""

from __future__ import annotations

from typing import NamedTuple

from ftbridge.context import Context
from ftbridge.errors import JobNotFound, TargetError
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.results import tuned_model
from ftbridge.model import Job
from ftbridge.provider.capabilities import unsupported
from ftbridge.target import Target, parse_target


class Teacher(NamedTuple):
    """A model, and the name by which people know it: its target, or the id of its job."""

    name: str
    target: Target
    model: str
    tuned: bool


def find_teacher(context: Context, given: Job | str) -> Teacher:
    """The model of that job or target.

    Raises `JobNotFound` for what is neither, `JobFailed` for a job without a model, and `Unsupported` for a provider
    that answers no questions.
    """
    teacher = _of_job_or_target(context, given)
    provider = context.provider(teacher.target)
    if "chat" not in provider.capabilities.verbs:
        raise unsupported("chat", provider.capabilities, provider.name)
    return teacher


def _of_job_or_target(context: Context, given: Job | str) -> Teacher:
    try:
        job = succeeded(context, given).job
    except JobNotFound as problem:
        try:
            target = context.target(str(given))
        except TargetError as no_target:
            raise (no_target if ":" in str(given) else problem) from None
        return Teacher(str(target), target, target.model, tuned=False)
    return Teacher(job.id, parse_target(job.target), tuned_model(job), tuned=True)
