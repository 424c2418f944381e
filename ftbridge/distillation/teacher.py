"""Whose answers they are: the model of a target, or the one that a job has made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ftbridge.answers.able import check_answers
from ftbridge.context import Context
from ftbridge.distillation.questions import Question
from ftbridge.jobs.results import find_model
from ftbridge.model import Job
from ftbridge.target import Target


class Teacher(NamedTuple):
    """A model, and the name by which people know it: its target, or the id of its job."""

    name: str
    target: Target
    model: str
    tuned: bool


def find_teacher(context: Context, given: Job | str, questions: Iterable[Question]) -> Teacher:
    """The model of that job or target.

    Raises as `find_model` does, and `Unsupported` for a provider that answers no questions, or none with tools.
    """
    found = find_model(context, given)
    check_answers(context.provider(found.target), (one.line for one in questions if one.asked.tools))
    name = found.job.id if found.job else str(found.target)
    return Teacher(name, found.target, found.name, tuned=found.job is not None)
