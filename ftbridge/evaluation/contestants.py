"""The models that an evaluation asks: the tuned one, its base, and those it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ftbridge.context import Context
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import UsageError
from ftbridge.evaluation.asking import Contender
from ftbridge.jobs.results import find_model, tuned_model
from ftbridge.model import Job
from ftbridge.target import parse_target

TUNED, BASE = "tuned", "base"


def tuned_contender(job: Job, chats: Mapping[int, Chat], name: str = TUNED) -> Contender:
    """The model that a job made. Raises `JobFailed` where it made none."""
    return Contender(name, parse_target(job.target), tuned_model(job), chats)


def base_contender(job: Job, chats: Mapping[int, Chat]) -> Contender:
    """The model that a job began with; `chats` may tell it more than the tuned one is told."""
    target = parse_target(job.target)
    return Contender(BASE, target, target.model, chats, tuned=False)


def rival(context: Context, given: Job | str, chats: Mapping[int, Chat]) -> Contender:
    """The model of a job, or of a target. Raises as `find_model` does."""
    found = find_model(context, given)
    if found.job is not None:
        return tuned_contender(found.job, chats, found.job.id)
    return Contender(str(given), found.target, found.name, chats, tuned=False)


def check_different(contenders: Sequence[Contender]) -> None:
    """Raises `UsageError` where two are the same model, unless one is the base, which may be told more."""
    models = [one.target._replace(model=one.model) for one in contenders if one.name != BASE]
    twice = next((one for one in models if models.count(one) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice} cannot be compared with itself", hint="Name each model once.")
