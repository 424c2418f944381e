"""Weights & Biases: `wandb:PROJECT` or `wandb:ENTITY/PROJECT`; with WANDB_MODE=offline, on this machine alone.

A job's run has the job's id. Its history goes by the numbers of the events, which W&B only takes upwards, and its
curves by the steps of the training. How far a run is written is also noted in the folder that W&B keeps of it here,
since offline nobody else can tell.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import wandb

from ftbridge.errors import ConfigError, NetworkError
from ftbridge.files import write
from ftbridge.model import Event, Job, Status
from ftbridge.watching.trackers.report import Report, facts, metrics, run_name

_NOTE = "ftbridge.json"


def open_report(location: str, job: Job) -> Report:
    """The job's run in the project `location`, "ftbridge" if there is no name."""
    return WandbReport(location or "ftbridge", job)


class WandbReport:
    """A run that begins, here and at W&B, with the first event that is new.

    Raises `ConfigError` where W&B is not logged in, and `NetworkError` where it does not answer.
    """

    def __init__(self, location: str, job: Job) -> None:
        self._location = location
        self._job = job
        self._run: Any = None
        with _as_errors():
            folder = Path(wandb.setup().settings.wandb_dir)
        files = list(folder.glob(f"*run-*-{job.id}/{_NOTE}"))
        notes = [json.loads(file.read_bytes()) for file in files]
        self.last = max((note["last"] for note in notes if note["location"] == location), default=0)
        self._newest = max((file.stat().st_mtime for file in files), default=0.0)

    def write(self, events: Sequence[tuple[int, Event]]) -> None:
        """Log the metrics of each event."""
        if all(number <= self.last for number, _event in events):
            return
        with _as_errors():
            self._run = self._run or self._begin()
            for number, event in events:
                if number > self.last and (found := metrics(event)):
                    self._run.log({"step": event.step, **found}, step=number)
        self.last = max(self.last, events[-1][0])
        note = {"location": self._location, "last": self.last}
        write(Path(self._run.settings.sync_dir) / _NOTE, json.dumps(note).encode())

    def leave(self, job: Job) -> None:
        """Finish the run, as failed if the job has failed or was cancelled."""
        if self._run:
            with _as_errors():
                self._run.finish(exit_code=int(job.status in (Status.FAILED, Status.CANCELLED)))
            self._run = None

    def _begin(self) -> Any:
        entity, _, project = self._location.rpartition("/")
        if time.time() - self._newest < 1:  # W&B names its folders by the second, and would write over the last one
            time.sleep(1)
        run = wandb.init(
            entity=entity or None,
            project=project,
            id=self._job.id,
            name=run_name(self._job),
            config=facts(self._job),
            resume="allow",
            reinit="create_new",  # a run for each job, beside one another
            settings=wandb.Settings(  # this process trains nothing, so W&B need not monitor it
                silent=True,
                console="off",
                disable_code=True,
                disable_git=True,
                x_disable_meta=True,
                x_disable_stats=True,
                x_save_requirements=False,
            ),
        )
        run.define_metric("step", hidden=True)
        run.define_metric("*", step_metric="step")
        self.last = max(self.last, run.step - 1)
        return run


@contextmanager
def _as_errors() -> Iterator[None]:
    try:
        yield
    except wandb.errors.CommError as problem:
        raise NetworkError(
            f"Weights & Biases did not take the report: {' '.join(str(problem).split())[:300]}",
            hint="Look at the network, or set WANDB_MODE=offline and use `wandb sync` later.",
        ) from problem
    except (wandb.errors.Error, ValueError) as problem:
        raise ConfigError(
            f"Weights & Biases cannot be used: {' '.join(str(problem).split())[:300]}",
            hint="Run `wandb login`, or set WANDB_MODE=offline.",
        ) from problem
