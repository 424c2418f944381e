"""What is known of a job: from the ledger, its training file, and the newest evaluation that the home keeps."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ftbridge.context import Context
from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.data_file import data_file
from ftbridge.errors import FtbridgeError
from ftbridge.evaluation.stored_evaluations import StoredEvaluation, newest
from ftbridge.graders.item import expected_answer
from ftbridge.jobs.listing import refresh
from ftbridge.ledger import Record
from ftbridge.model import Event, Job

_MOST_LABELS = 1000  # answers of more kinds are texts


class DataFacts(NamedTuple):
    """A file of a dataset as it is now; `answers` are the rows of each answer in it, where they are few, as of labels.

    `problem` says why nothing is known of it. `changed` is whether it was written after the job was submitted.
    """

    name: str
    rows: int | None = None
    sha256: str | None = None
    changed: bool = False
    problem: str = ""
    answers: Mapping[str, int] = MappingProxyType({})


class JobFacts(NamedTuple):
    """A job with all that its part of a report needs; `sent` is the XXH3-128 of the training file as it was sent."""

    job: Job
    events: Sequence[Event]
    training: DataFacts
    validation: DataFacts | None
    sent: str
    evaluated: StoredEvaluation | None


def gather(context: Context, given: Job | str) -> JobFacts:
    """All of it, after the provider was polled once. Raises `JobNotFound`, and what polling raises."""
    [job] = refresh(context, given)
    record: Record = context.record(job)
    return JobFacts(
        job=job,
        events=[event for _number, event in context.ledger.events(job.id)],
        training=_data(job.spec.data, job),
        validation=_data(job.spec.validation, job) if job.spec.validation else None,
        sent=record.prepared.training,
        evaluated=newest(context, job.id),
    )


def _data(file: Path, job: Job) -> DataFacts:
    name = str(file)
    if not file.is_file():
        return DataFacts(name, problem="the file is not there any more")
    try:
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        changed = datetime.fromtimestamp(file.stat().st_mtime, UTC) > job.created_at
        rows, answers = 0, Counter[str]()
        for _line, example in read_examples(data_file(file, job.spec.map), format=job.spec.format):
            rows += 1
            if isinstance(example, Chat) and len(answers) <= _MOST_LABELS:
                answers[expected_answer(example)] += 1
    except (OSError, FtbridgeError) as problem:
        return DataFacts(name, problem=problem.message if isinstance(problem, FtbridgeError) else str(problem.strerror))
    return DataFacts(name, rows, sha256, changed, answers=answers if len(answers) <= _MOST_LABELS else {})
