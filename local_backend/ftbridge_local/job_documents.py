"""What the files of a job folder hold: the spec, the state and the events; and how they are read.

A file of a newer ftbridge is read as far as this version knows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from pydantic import Field

from ftbridge.foreign.values import Message
from ftbridge.model import Event, Frozen, Hyperparameters, Method, Status, now
from ftbridge.stored import read_event, read_stored
from ftbridge_local.out_of_memory import OomCount

SPEC, STATUS, EVENTS, UPLOADS = "spec.json", "status.json", "events.jsonl", "uploads.json"
FULL = "disk-full.json"
TRAINING, VALIDATION = "training.jsonl", "validation.jsonl"


class JobSpec(Frozen):
    """What the trainer is to do.

    `model` is what the user named. `base` is where the base model is: `tiny`, ORG/NAME at the hub, or a folder of the
    job folder; a model folder of the user's own is the one exception, and named by its absolute path, because it may be
    too large to copy. `adapter` is the folder, in the job folder, of the adapter that training continues. `teacher` and
    `teacher_adapter` say in the same way where the model is that a student learns from. `sha256` are the digests of the
    data files, in hex, which outlast the files.
    """

    model: str
    base: str
    adapter: str | None = None
    teacher: str | None = None
    teacher_adapter: str | None = None
    method: Method = Method.SFT
    hyperparameters: Hyperparameters = Hyperparameters()
    name: str | None = None
    training: str = TRAINING
    validation: str | None = None
    sha256: Mapping[str, str] = Field(default_factory=dict)
    created_at: datetime = Field(default_factory=now)


class ResultInfo(Frozen):
    """The step that the result is of, its validation loss then, and how the settings were chosen.

    `settings_note` is a sentence for the model card: the settings that the user left open.
    """

    step: int | None = None
    valid_loss: float | None = None
    settings_note: str | None = None


class JobState(Frozen):
    """The status as it was last written, with the error of a failed job, or the result of one that succeeded.

    `out_of_memory` is how often the system had then ended a process to free memory, in the worker's part of it.
    `unreadable` is a state of which only the reason is known, as `error`.
    """

    status: Status
    error: Message | None = None
    result: ResultInfo | None = None
    out_of_memory: OomCount | None = None
    unreadable: bool = False
    at: datetime = Field(default_factory=now)


def read_spec(text: bytes) -> JobSpec:
    """What spec.json holds. Raises `ValueError` where it holds no JSON object."""
    return read_stored(JobSpec, _object(text), {"model": "unknown", "base": "unknown"})


def read_state(text: bytes) -> JobState:
    """What status.json holds; an unknown status is `unknown`. Raises `ValueError` where it holds no JSON object."""
    return read_stored(JobState, _object(text), {"status": Status.UNKNOWN})


def parse_events(lines: bytes, offset: int = 0) -> Iterator[Event]:
    """The events in `lines`, a part of events.jsonl that begins at `offset`.

    A line that is still being written is left for later. One that cannot be read, such as the zeros that a power
    failure may leave, is a message that says so.
    """
    for line in lines.split(b"\n")[:-1]:
        offset += len(line) + 1
        event = read_event(line, f"the line of {EVENTS} that ends at byte {offset:,}")
        yield event.model_copy(update={"cursor": str(offset)})


def _object(text: bytes) -> bytes:
    try:
        json.loads(text)
    except RecursionError as problem:
        raise ValueError("it is nested too deeply") from problem
    if not text.lstrip().startswith(b"{"):
        raise ValueError("it holds no JSON object")
    return text
