"""A job's state and spec, as the provider reports them to the core."""

from __future__ import annotations

from pathlib import Path

from ftbridge.model import Result, Status
from ftbridge.provider.remote import Files, Listed, RemoteJob
from ftbridge.stored import read_stored
from ftbridge_local.job_documents import SPEC, UPLOADS, ResultInfo, read_spec
from ftbridge_local.out_of_memory import killed_since
from ftbridge_local.runners.runner import JobReport, Runner


def remote_job(report: JobReport, remote_id: str, result_folder: Path) -> RemoteJob:
    """The job as it is now; one whose worker died is failed, with the end of its log as the error."""
    status, error = report.state.status, report.state.error
    if status is Status.SUBMITTING:
        status = Status.VALIDATING
    if report.waiting:
        status = Status.QUEUED
    elif report.died:
        status, error = Status.FAILED, _death(report, status)
    result = as_result(report.state.result, result_folder) if status is Status.SUCCEEDED else None
    raw_status = report.raw or report.waiting or status.value
    return RemoteJob(remote_id=remote_id, status=status, raw_status=raw_status, error=error, result=result)


def as_result(info: ResultInfo | None, folder: Path) -> Result:
    """The result of a job that has succeeded, whose files are in `folder`."""
    known = info or ResultInfo()
    return Result(model=str(folder), path=folder, step=known.step, valid_loss=known.valid_loss)


def listed_job(report: JobReport, remote: RemoteJob, runner: Runner) -> Listed:
    """The job with what was asked for. Raises `ValueError` where that cannot be read."""
    spec = read_spec(runner.read(report.tag, SPEC))
    uploads = read_stored(Files, runner.read(report.tag, UPLOADS), {"training": ""})
    return Listed(
        remote=remote,
        tag=report.tag,
        model=spec.model,
        method=spec.method,
        hyperparameters=spec.hyperparameters,
        name=spec.name,
        training_file=uploads.training,
        validation_file=uploads.validation,
        created_at=spec.created_at,
        finished_at=report.state.at if remote.status.final else None,
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
