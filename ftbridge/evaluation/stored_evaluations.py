"""Evaluations that the home keeps, with all rows, for the report of a job.

Each is a file of JSON lines, `evaluations/JOB/TIME.jsonl`: `EvaluationHead`, `Evaluation`, and an `EvaluatedRow` each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import Field

from ftbridge.context import Context
from ftbridge.dataset.data_file import Data
from ftbridge.errors import StateError
from ftbridge.evaluation.results import EvaluatedRow, Evaluation
from ftbridge.files import make_folder, replacing
from ftbridge.home import evaluations_folder, usable
from ftbridge.model import Frozen, now
from ftbridge.stored import read_stored
from ftbridge.wording import clause


class EvaluationHead(Frozen):
    """When and by what an evaluation was made: `sha256` is that of the file `data`, as it was then.

    `models` are the names of those whose answers are kept, and `options` those that were given.
    """

    at: datetime
    version: str = ""
    data: str
    sha256: str
    models: tuple[str, ...] = ()
    options: Mapping[str, Any] = Field(default_factory=dict)


class StoredEvaluation(Frozen):
    """An evaluation with all its rows, and when and by what it was made."""

    head: EvaluationHead
    evaluation: Evaluation


def describe_data(data: Data) -> tuple[str, str]:
    """The name of the file, and the SHA-256 of its content in hex."""
    with Path(data).open("rb") as content:
        return str(data), hashlib.file_digest(content, "sha256").hexdigest()


def keep(context: Context, evaluation: Evaluation, data: tuple[str, str], options: Mapping[str, Any]) -> None:
    """Keep the evaluation beside earlier ones of its job, completely or not at all; warns where that is impossible."""
    name, sha256 = data
    head = EvaluationHead(
        at=now(),
        version=version("ftbridge"),
        data=name,
        sha256=sha256,
        models=tuple(model.name for model in evaluation.models),
        options={name: value for name, value in options.items() if value},
    )
    folder = evaluations_folder(context.home, evaluation.job)
    try:
        with usable(context.home):
            make_folder(folder)
            file = folder / f"{head.at:%Y%m%dT%H%M%S%f}Z.jsonl"
            with replacing(file) as temporary, temporary.open("w", encoding="utf-8") as lines:
                for part in chain((head, evaluation), evaluation.row_results):
                    lines.write(part.model_dump_json() + "\n")
    except StateError as problem:
        context.warn(f"this evaluation is not kept, so no report will have it: {clause(problem.message)}")


def newest(context: Context, job: str) -> StoredEvaluation | None:
    """The newest evaluation of the job that can be read; None where there is none."""
    for file in sorted(evaluations_folder(context.home, job).glob("*.jsonl"), reverse=True):
        try:
            return _read(file)
        except (OSError, ValueError) as problem:
            context.warn(f"the evaluation {file} cannot be read, and an older one is used: {type(problem).__name__}")
    return None


def _read(file: Path) -> StoredEvaluation:
    with file.open(encoding="utf-8") as lines:
        head = read_stored(EvaluationHead, next(lines, ""))
        evaluation = read_stored(Evaluation, next(lines, ""))
        rows = tuple(read_stored(EvaluatedRow, line) for line in lines)
    return StoredEvaluation.model_construct(head=head, evaluation=evaluation.model_copy(update={"row_results": rows}))
