"""What one job has of another: the target at which training goes on from its result, and the teacher."""

from __future__ import annotations

from ftbridge.context import Context
from ftbridge.errors import JobFailed, UsageError
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.results import find_model
from ftbridge.model import Job, Result
from ftbridge.target import Target, parse_target


def start_of(context: Context, to: str | None, from_job: Job | str | None) -> Target:
    """The target `to`, or the result of `from_job` as a target of its own provider.

    As a part of the target the result counts where two requests are the same or not. Raises `UsageError` unless one of
    the two is given, `JobFailed` for a job without a result, and `Unsupported` where its provider cannot go on from it.
    """
    if to is not None and from_job is not None:
        raise UsageError(
            "--to and --from both say where the job starts", hint="Give one: a job that goes on stays at its provider."
        )
    if from_job is not None:
        return target_from(context, from_job)
    if to is None:
        raise UsageError(
            "there is no target: neither --to nor --from is given",
            hint="Give --to provider:model, or --from JOB to go on from the result of a job.",
        )
    return context.target(to)


def target_from(context: Context, job: Job | str) -> Target:
    """The target at which training goes on from the result of a job. Raises as `start_of` does."""
    record = succeeded(context, job)
    target = parse_target(record.job.target)
    if record.job.remote_id is None:
        raise JobFailed(f"job {record.job.id} is not known at {record.provider}", hint="Choose another job.")
    result = record.job.result or Result()
    return target._replace(model=context.provider_of(record).model_from(target.model, record.job.remote_id, result))


def teacher_at(context: Context, target: Target, teacher: Job | str) -> str:
    """The teacher of a job at `target`: the result of another job, or a target itself, as a target string.

    Raises `UsageError` where it is not at the same provider, which then cannot read its probabilities, and otherwise as
    `find_model` does.
    """
    known = find_model(context, teacher)
    found = known.target._replace(model=known.name)
    if found._replace(model="") != target._replace(model=""):
        raise UsageError(
            f"the teacher {found} is not at {target.provider}, and its probabilities cannot be read there",
            hint=f"`ftbridge distill PROMPTS --teacher {found} --out FILE` writes its answers, to train on.",
        )
    return str(found)
