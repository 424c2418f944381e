"""A job's state and spec, as the provider reports them to the core."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ftbridge.errors import ListingUnfinished
from ftbridge.model import Result, Status
from ftbridge.provider.remote import Files, Listed, RemoteJob
from ftbridge.provider.unreadable import whole_list
from ftbridge.stored import read_stored
from ftbridge_local.job_documents import SPEC, UPLOADS, ResultInfo, read_spec
from ftbridge_local.out_of_memory import killed_since
from ftbridge_local.runners.runner import JobReport, Runner


def remote_job(report: JobReport, result_folder: Path) -> RemoteJob:
    """The job as it is now; one whose worker died is failed, with the end of its log as the error."""
    status, error = report.state.status, report.state.error
    if status is Status.SUBMITTING:
        status = Status.VALIDATING
    if report.died:
        status, error = Status.FAILED, _death(report, status)
    result = as_result(report.state.result, result_folder) if status is Status.SUCCEEDED else None
    return RemoteJob(remote_id=report.tag, status=status, raw_status=status.value, error=error, result=result)


def as_result(info: ResultInfo | None, folder: Path) -> Result:
    """The result of a job that has succeeded, whose files are in `folder`."""
    known = info or ResultInfo()
    return Result(model=str(folder), path=folder, step=known.step, valid_loss=known.valid_loss)


def list_jobs(runner: Runner) -> Iterator[Listed]:
    """All jobs of the runner with what was asked for, newest first.

    Raises `ListingUnfinished`, after the others, where what was asked for in one of them cannot be read.
    """
    listed: list[Listed] = []
    unlisted = None
    try:
        listed.extend(whole_list("local", runner.report(runner.tags()), partial(_listed, runner)))
    except ListingUnfinished as problem:
        unlisted = problem
    yield from sorted(listed, key=lambda job: job.created_at, reverse=True)
    if unlisted:
        raise unlisted


def _listed(runner: Runner, report: JobReport) -> Listed:
    spec = read_spec(runner.read(report.tag, SPEC))
    uploads = read_stored(Files, runner.read(report.tag, UPLOADS), {"training": ""})
    job = remote_job(report, runner.folder(report.tag).result)
    return Listed(
        remote=job,
        tag=report.tag,
        model=spec.model,
        method=spec.method,
        hyperparameters=spec.hyperparameters,
        name=spec.name,
        training_file=uploads.training,
        validation_file=uploads.validation,
        created_at=spec.created_at,
        finished_at=report.state.at if job.status.final else None,
    )


def _death(report: JobReport, status: Status) -> str:
    died = f"the worker died while {status.value}"
    hint = f"`ftbridge resume {report.tag}` continues from the last checkpoint"
    if status is Status.UNKNOWN:
        return f"the worker died, and {report.state.error}; {hint}"
    if report.log:
        return f"{died}; {hint}; the end of its log: {report.log}"
    if killed_since(report.state.out_of_memory):
        smaller = "with a smaller batch_size or max_seq_length it needs less"
        return f"{died}: the system ran out of memory and ended it; {smaller}; {hint}"
    return f"{died} without an error message: a signal killed it, or the machine was turned off; {hint}"
