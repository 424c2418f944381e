"""MLflow: `mlflow:URI` of a tracking server or a database, or `mlflow` for what MLFLOW_TRACKING_URI says.

Jobs are runs of the experiment "ftbridge", found again by their tag. How far a run is written is a tag of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from ftbridge.errors import NetworkError
from ftbridge.model import Event, Job, Status
from ftbridge.watching.trackers.report import Report, facts, metrics, run_name

_EXPERIMENT, _JOB, _LAST = "ftbridge", "ftbridge.job", "ftbridge.last"
_EVENTS_AT_ONCE = 50  # the server takes up to 1,000 metrics in one request (MLflow's REST API, runs/log-batch, 2026-11)
_ENDS = {Status.SUCCEEDED: "FINISHED", Status.FAILED: "FAILED", Status.CANCELLED: "KILLED"}


def open_report(location: str, job: Job) -> Report:
    """The job's run at the tracking URI `location`."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # ftbridge retries by itself
    return MlflowReport(location, job)


class MlflowReport:
    """A run of the experiment. Raises `NetworkError` where the server, or the database, fails."""

    def __init__(self, location: str, job: Job) -> None:
        with _as_network_error():
            self._client = MlflowClient(tracking_uri=location or None)
            self._run = self._find(job) or self._create(job)
        self._id = self._run.info.run_id
        self.last = int(self._run.data.tags.get(_LAST, 0))

    def write(self, events: Sequence[tuple[int, Event]]) -> None:
        """Log the metrics of each event, and the number of the last one, in the same requests."""
        new = [(number, event) for number, event in events if number > self.last]
        with _as_network_error():
            for start in range(0, len(new), _EVENTS_AT_ONCE):
                some = new[start : start + _EVENTS_AT_ONCE]
                values = [metric for _number, event in some for metric in _metrics(event)]
                self._client.log_batch(self._id, metrics=values, tags=[RunTag(_LAST, str(some[-1][0]))])
                self.last = some[-1][0]

    def leave(self, job: Job) -> None:
        """End the run with the job's status; a job that goes on leaves it running."""
        status = _ENDS.get(job.status, "RUNNING")
        if status == self._run.info.status:
            return
        with _as_network_error():
            if job.finished_at and job.status.final:
                self._client.set_terminated(self._id, status, end_time=_milliseconds(job.finished_at))
            else:
                self._client.update_run(self._id, status=status)

    def _find(self, job: Job) -> Run | None:
        experiment = self._client.get_experiment_by_name(_EXPERIMENT)
        if experiment is None:
            return None
        found = self._client.search_runs([experiment.experiment_id], f"tags.`{_JOB}` = '{job.id}'")
        return found[0] if found else None

    def _create(self, job: Job) -> Run:
        known = self._client.get_experiment_by_name(_EXPERIMENT)
        experiment = known.experiment_id if known else self._client.create_experiment(_EXPERIMENT)
        run = self._client.create_run(
            experiment, start_time=_milliseconds(job.created_at), tags={_JOB: job.id}, run_name=run_name(job)
        )
        params = [Param(name, str(value)) for name, value in facts(job).items()]
        self._client.log_batch(run.info.run_id, params=params)
        return run


def _metrics(event: Event) -> Iterator[Metric]:
    for name, value in metrics(event).items():
        yield Metric(name, float(value), _milliseconds(event.at), event.step)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@contextmanager
def _as_network_error() -> Iterator[None]:
    try:
        yield
    except MlflowException as problem:
        raise NetworkError(
            f"MLflow did not accept the report: {' '.join(str(problem).split())[:300]}",
            hint="Check the tracking URI, and that the server answers.",
        ) from problem
