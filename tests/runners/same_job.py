"""The job that is run everywhere, and the adapter that it gives."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from ftbridge.model import Hyperparameters, Spec, Status
from ftbridge.provider import Files
from ftbridge.testing import ROWS
from ftbridge_local.training import TrainingProvider

ADAPTER = "adapter_model.safetensors"
HYPERPARAMETERS: dict[str, Any] = {"epochs": 1, "seed": 5}


def write_rows_of_job(file: Path) -> Path:
    """The rows of the job."""
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    return file


def train(provider: TrainingProvider, model: str, rows: Path, tag: str = "ftb_000000000001", times: int = 1) -> str:
    """The id of a job that has succeeded; it is created so many times, all at once."""
    spec = Spec(target=f"{provider.name}:{model}", data=rows, hyperparameters=Hyperparameters(**HYPERPARAMETERS))
    files = Files(training=provider.upload(rows, key="rows"))
    made: list[str] = []
    creating = [
        threading.Thread(target=lambda: made.append(provider.create(spec, model, files, tag=tag).remote_id))
        for _ in range(times)
    ]
    for thread in creating:
        thread.start()
    for thread in creating:
        thread.join()
    assert len(made) == times
    assert len({*made}) == 1
    deadline = time.monotonic() + 240
    while not (job := next(iter(provider.poll(made[:1])))).status.final:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert job.status is Status.SUCCEEDED, job.error
    return made[0]
