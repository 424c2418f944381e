"""Whose answers they are: the model of a target, or the one that a job has made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ftbridge.context import Context
from ftbridge.distillation.questions import Question
from ftbridge.errors import JobNotFound, TargetError, Unsupported
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.results import tuned_model
from ftbridge.model import Job
from ftbridge.provider import Provider
from ftbridge.provider.capabilities import unsupported
from ftbridge.target import Target, parse_target


class Teacher(NamedTuple):
    """A model, and the name by which people know it: its target, or the id of its job."""

    name: str
    target: Target
    model: str
    tuned: bool


def find_teacher(context: Context, given: Job | str, questions: Iterable[Question]) -> Teacher:
    """The model of that job or target.

    Raises `JobNotFound` for what is neither, `JobFailed` for a job without a model, and `Unsupported` for a provider
    that answers no questions, or none with tools.
    """
    teacher = _of_job_or_target(context, given)
    _check_answers(context.provider(teacher.target), questions)
    return teacher


def _check_answers(provider: Provider, questions: Iterable[Question]) -> None:
    if "chat" not in provider.capabilities.verbs:
        raise unsupported("chat", provider.capabilities, provider.name)
    with_tools = next((one.line for one in questions if one.asked.tools), None)
    if with_tools is not None and not provider.capabilities.gives_tool_calls:
        raise Unsupported(
            f"{provider.name} gives an answer as text alone, and the prompt on line {with_tools} has tools",
            provider=provider.name,
            hint="Leave such prompts out, or choose a teacher whose tool calls are told.",
        )


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
