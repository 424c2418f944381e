"""One run of the local trainer for bench_local.py: `local_ours.py FOLDER STEPS PRECISION`; prints a line of JSON."""

# ruff: noqa: T201  # what it prints is its result
from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.local_world import GIVEN, Meter
from ftbridge.model import Hyperparameters, Status
from ftbridge_local.job_documents import TRAINING, VALIDATION, JobSpec
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.trainer.train import train


class Measured(JobFolder):
    """A job folder that measures time and memory when an event is added."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.meter, self.valid_loss = Meter(), 0.0

    def add_event(self, kind: Any, **fields: Any) -> None:
        if kind == "status" and fields.get("status") is Status.RUNNING:
            self.meter.loaded()
        if kind == "metric" and fields.get("step"):
            self.valid_loss = fields.get("valid_loss") or self.valid_loss
            self.meter.step(fields["step"], fields["tokens"])
        super().add_event(kind, **fields)


def main(folder: Path, steps: int, precision: str) -> None:
    """Train, as a worker does."""
    path = folder / "job"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    settings = Hyperparameters.model_validate({**GIVEN.given(), "eval_interval": steps, "precision": precision})
    job = Measured(path)
    shutil.copyfile(folder / "steps.jsonl", path / TRAINING)
    shutil.copyfile(folder / "held_out.jsonl", path / VALIDATION)
    shutil.copytree(folder / "adapter", path / "adapter")
    job.write_spec(
        JobSpec(
            model=str(folder / "adapter"),
            base=str(folder / "model"),
            adapter="adapter",
            hyperparameters=settings,
            validation=VALIDATION,
        )
    )
    train(job, folder / "home")
    last = job.meter.marks.pop(steps)  # it has the validation in it
    print(job.meter.to_json(valid_loss=job.valid_loss, tokens=last[1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
