"""TensorBoard: `tensorboard:FOLDER`, a folder below it for each job, read by `tensorboard --logdir FOLDER`.

Files are written through the package's own records (tensorboard.summary, by which torch writes them too), without
torch. The length of a file's complete part is stored beside it, so that what a crash left half written is replaced.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event as Record
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.summary.writer.record_writer import RecordWriter

from ftbridge.errors import InputError
from ftbridge.files import write
from ftbridge.model import Event, Job
from ftbridge.watching.trackers.report import Report, facts, metrics, run_name

_VERSION = "brain.Event:2"


def open_report(location: str, job: Job) -> Report:
    """The job's run in the folder `location`, "runs" if there is no name."""
    return TensorBoardReport(Path(location or "runs").expanduser() / run_name(job), job)


class TensorBoardReport:
    """A folder with one file of records, and a note of how much is written."""

    def __init__(self, folder: Path, job: Job) -> None:
        self._file = folder / f"events.out.tfevents.{job.created_at.timestamp():.0f}.ftbridge"
        self._note = folder / "ftbridge.json"
        self._job = job
        self.last, self._size = 0, 0
        if self._note.exists() and self._file.exists():
            noted = json.loads(self._note.read_bytes())
            self.last, self._size = noted["last"], noted["bytes"]

    def write(self, events: Sequence[tuple[int, Event]]) -> None:
        """Append the metrics of each event. Raises `InputError` where the folder cannot be written."""
        new = [(number, event) for number, event in events if number > self.last]
        if not new:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("r+b" if self._size else "wb") as file:
                file.truncate(self._size)
                file.seek(self._size)
                records = RecordWriter(file)
                for record in [*([] if self._size else _head(self._job)), *_records(new)]:
                    records.write(record.SerializeToString())
                file.flush()
                os.fsync(file.fileno())
                self.last, self._size = new[-1][0], file.tell()
            write(self._note, json.dumps({"last": self.last, "bytes": self._size}).encode())
        except OSError as problem:
            raise InputError(
                f"{self._file} cannot be written: {problem}", hint="Name another folder, or make room."
            ) from None

    def leave(self, job: Job) -> None:
        """TensorBoard has no end of a run."""


def _head(job: Job) -> Iterator[Record]:
    """What every file begins with, and what the job is, as a table under TEXT."""
    at = job.created_at.timestamp()
    yield Record(wall_time=at, file_version=_VERSION)
    rows = "".join(f"| {name} | {value} |\n" for name, value in facts(job).items())
    table = TensorProto(dtype="DT_STRING", string_val=[f"| | |\n|---|---|\n{rows}".encode()])
    kind = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
    yield Record(wall_time=at, step=0, summary=Summary(value=[Summary.Value(tag="job", metadata=kind, tensor=table)]))


def _records(events: Sequence[tuple[int, Event]]) -> Iterator[Record]:
    for _number, event in events:
        values = [Summary.Value(tag=name, simple_value=figure) for name, figure in metrics(event).items()]
        if values:
            yield Record(wall_time=event.at.timestamp(), step=event.step, summary=Summary(value=values))
