"""The files that a distillation writes: the rows, where each is from, and the answers that are no rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ftbridge.dataset.writing.atomic_file import atomic_file
from ftbridge.distillation.candidates import Candidate
from ftbridge.distillation.rows import Rejected, said_in
from ftbridge.errors import InputError, UsageError

_encode = msgspec.json.Encoder().encode


class Files(NamedTuple):
    """Their paths. The line of a row is that of its provenance."""

    rows: Path
    provenance: Path
    rejects: Path


def choose_files(out: Path, rejects: Path | None, prompts: Path) -> Files:
    """The files beside `out`, with its name, which can be written.

    Raises `UsageError` where two are the same, or one is the `prompts`, and `InputError` where one cannot be written.
    """
    if str(out) == "-":
        raise UsageError(
            "--out cannot be standard output, because the rows are written completely or not at all",
            hint="Name a file.",
        )
    if not out.name:
        raise InputError(f"{out} is a folder", hint="Name a file.")
    name = out.name.removesuffix(".jsonl")
    files = Files(out, out.with_name(f"{name}.provenance.jsonl"), rejects or out.with_name(f"{name}.rejects.jsonl"))
    if len({path.resolve() for path in (*files, prompts)}) <= len(files):
        raise UsageError("two of the files have the same name", hint="Give each a name of its own.")
    for path in files:  # before anything is paid for
        with atomic_file(path):
            pass
    return files


def write_files(
    files: Files, kept: Sequence[Candidate], rejected: Iterable[Candidate], provenance: Iterable[Any], mode: int
) -> None:
    """Write all of them completely or none; the rows appear last, and not at all where there is none.

    Raises `InputError` where that is not possible.
    """
    with (
        atomic_file(files.rows, mode) as rows,
        atomic_file(files.provenance, mode) as origins,
        atomic_file(files.rejects, mode) as rejects,
    ):
        rows.write(b"".join(_encode(one.row) + b"\n" for one in kept))
        origins.write(b"".join(map(_line, provenance)))
        rejects.write(b"".join(_line(_reject(one)) for one in rejected))
        for file in (rows, origins, rejects) if kept else (rejects,):
            file.commit()


def _reject(one: Candidate) -> Mapping[str, Any]:
    because = one.row
    assert isinstance(because, Rejected)
    message, reasoning = said_in(one.answer)
    is_said = one.answer.outcome in ("answered", "truncated")
    said = [{**message, "reasoning_content": reasoning}] if is_said else []
    answers = [{key: value for key, value in message.items() if value is not None} for message in said]
    return {
        "line": one.question.line,
        "sample": one.sample,
        "reason": because.reason,
        "detail": because.detail,
        "score": one.score,
        **msgspec.to_builtins(one.question.taught),
        "messages": [*msgspec.to_builtins(one.question.taught.messages), *answers],
    }


def _line(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n"
