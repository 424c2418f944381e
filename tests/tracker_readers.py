"""What trackers hold of a job, read by their own packages: the points of each curve, as (step, value), in order."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Curves = dict[str, list[tuple[int, Any]]]


class Tracker(ABC):
    """A tracker in a folder of the test's own; `to` is what it is called on the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    @abstractmethod
    def to(self) -> str: ...

    @abstractmethod
    def curves(self, job_id: str) -> Curves: ...

    @abstractmethod
    def facts(self, job_id: str) -> str:
        """What is told of the job itself, as text."""


class TensorBoard(Tracker):
    @property
    def to(self) -> str:
        return f"tensorboard:{self.folder / 'runs'}"

    def curves(self, job_id: str) -> Curves:
        read = self._read(job_id)
        return {tag: [(p.step, p.value) for p in read.Scalars(tag)] for tag in read.Tags()["scalars"]}

    def facts(self, job_id: str) -> str:
        [tensor] = self._read(job_id).Tensors("job")
        return str(tensor.tensor_proto.string_val[0].decode())

    def _read(self, job_id: str) -> Any:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        [run] = (self.folder / "runs").glob(f"*{job_id}")
        return EventAccumulator(str(run), size_guidance={"scalars": 0}).Reload()


class Mlflow(Tracker):
    @property
    def to(self) -> str:
        return f"mlflow:sqlite:///{self.folder}/runs.db"

    def curves(self, job_id: str) -> Curves:
        run, client = self._run(job_id)
        names = run.data.metrics
        return {
            name: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]
            for name in names
        }

    def facts(self, job_id: str) -> str:
        return str(self._run(job_id)[0].data.params)

    def _run(self, job_id: str) -> tuple[Any, Any]:
        mlflow = pytest.importorskip("mlflow")
        client = mlflow.MlflowClient(tracking_uri=self.to.partition(":")[2])
        experiment = client.get_experiment_by_name("ftbridge").experiment_id
        [run] = client.search_runs([experiment], f"tags.`ftbridge.job` = '{job_id}'")
        return run, client


class Wandb(Tracker):
    @property
    def to(self) -> str:
        return "wandb:a-project"

    def curves(self, job_id: str) -> Curves:
        found: Curves = {}
        for record in self._records(job_id):
            row = {
                item.key or item.nested_key[0]: json.loads(item.value_json)
                for item in record.history.item
                if record.HasField("history")
            }
            for name in row.keys() - {"step", "_step", "_timestamp", "_runtime"}:
                found.setdefault(name, []).append((row["step"], row[name]))
        return found

    def facts(self, job_id: str) -> str:
        [config] = [r.run.config for r in self._records(job_id) if r.HasField("run")]
        return str({item.key: json.loads(item.value_json) for item in config.update})

    def _records(self, job_id: str) -> Iterator[Any]:
        """W&B's own records, in the order of their files, out of the log format that it has from LevelDB."""
        pytest.importorskip("wandb").teardown()  # which returns when all is on the disk
        from wandb.proto.wandb_internal_pb2 import Record

        for file in sorted((self.folder / "wandb").glob(f"offline-run-*-{job_id}/*.wandb")):
            content, at, whole = file.read_bytes(), 7, b""  # after the file's own head of seven bytes
            while at + 7 <= len(content):
                left = 32768 - at % 32768
                length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
                if left < 7 or kind == 0:
                    at += left
                    continue
                whole += content[at + 7 : at + 7 + length]
                at += 7 + length
                if kind in (1, 4):  # a full record, or the last part of one
                    yield Record.FromString(whole)
                    whole = b""
