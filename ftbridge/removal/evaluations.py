"""Deleting evaluations that the home keeps: they hold held-out rows, and what models answered to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path

from ftbridge.context import Context
from ftbridge.files import remove
from ftbridge.home import evaluations_folder
from ftbridge.removal.receipt import Removal, Remover


def remove_evaluations_of(context: Context, remover: Remover, job: str) -> None:
    """Remove the job's evaluations, and those of other jobs in which its model was asked too."""
    own = evaluations_folder(context.home.absolute(), job)
    for file in _files(context.home):
        if file.parent == own or job in _models(file):
            _remove(remover, file)


def remove_old_evaluations(context: Context, remover: Remover, *, before: float, keep_newest: bool) -> None:
    """Remove those from before that time, in seconds since 1970; with `keep_newest` each job keeps its newest one."""
    for _folder, group in groupby(_files(context.home), key=lambda file: file.parent):
        files = [*group]
        for file in files[:-1] if keep_newest else files:
            with suppress(FileNotFoundError):  # another process may remove it
                if file.stat().st_mtime <= before:
                    _remove(remover, file)


def _remove(remover: Remover, file: Path) -> None:
    remover.remove(Removal(job=file.parent.name, kind="evaluation", name=str(file)), partial(remove, file))


def _files(home: Path) -> Iterator[Path]:
    """Those of each job together, oldest first."""
    yield from sorted((home.absolute() / "evaluations").glob("*/[!.]*.jsonl"))


def _models(file: Path) -> list[str]:
    """The models whose answers are in it, as its first line has them."""
    try:
        with file.open(encoding="utf-8") as lines:
            return [*json.loads(next(lines, ""))["models"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
