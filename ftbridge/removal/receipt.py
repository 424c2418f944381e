"""The receipt: what was removed, item by item, and what was not and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from ftbridge.errors import Conflict, FtbridgeError, JobNotFound, NotFound
from ftbridge.model import Frozen
from ftbridge.provider import Artifact
from ftbridge.wording import clause

Outcome = Literal["removed", "to be removed", "gone", "kept", "in use", "failed"]
WORDS = {
    "file": "uploaded file",
    "checkpoint": "checkpoint",
    "model": "model",
    "job": "job",
    "data": "training data",
    "cache": "tokenized data",
    "tokenizer": "tokenizer",
    "log": "log",
    "mock": "state of the mock of",
    "temporary": "temporary file",
    "answers": "answers:",
    "evaluation": "evaluation",
}
"""The kinds of items, as people read them."""


class Removal(Frozen):
    """One item: on this machine, where `name` is its path, or at the provider `at`, where it is the vendor's name.

    Of answers in the ledger, `name` says how many, and of which model.

    `job` is the job that it belongs to, and `bytes` its size on this disk, where it is here. In a dry run it is "to be
    removed". "gone" was removed before, "kept" stays, and "in use" and "failed" may be removed by the same command
    later; `why` says more.
    """

    job: str | None = None
    kind: str
    name: str
    at: str | None = None
    bytes: int | None = None
    outcome: Outcome = "removed"
    why: str = ""


class Receipt(Frozen):
    """All items; in a `dry_run` nothing was removed, and "to be removed" is what would be."""

    dry_run: bool
    items: tuple[Removal, ...]

    @property
    def bytes(self) -> int:
        """The size on this disk of what was removed, or would be."""
        return sum(item.bytes or 0 for item in self.items if item.outcome in ("removed", "to be removed"))

    @property
    def unfinished(self) -> tuple[Removal, ...]:
        """What should have been removed and was not."""
        return tuple(item for item in self.items if item.outcome in ("in use", "failed"))


class Remover:
    """Removes one item after the other, or only lists them in a `dry_run`."""

    def __init__(self, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        self.items: list[Removal] = []
        self._measured: set[tuple[int, int]] = set()

    def remove(self, item: Removal, how: Callable[[], object]) -> bool:
        """Remove it by calling `how`, which may return False for what is not there; whether it is gone, or would be."""
        if item.at is None:
            item = item.model_copy(update={"bytes": sum(self._sizes(Path(item.name)))})
        outcome, why = ("to be removed", "") if self.dry_run else _try(how)
        self.items.append(item.model_copy(update={"outcome": outcome, "why": why}))
        return outcome in ("removed", "to be removed", "gone")

    def listed(self, job: Removal, how: Callable[[], list[Artifact]]) -> list[Artifact]:
        """What `how` lists of a job; nothing, and the job as a failed item, where that cannot be read."""
        try:
            return how()
        except (NotFound, JobNotFound):  # its folder is gone
            return []
        except (FtbridgeError, OSError) as problem:
            self.add(job.model_copy(update={"outcome": "failed", "why": clause(_reason(problem))}))
            return []

    def add(self, item: Removal) -> None:
        """Add an item that is not removed here."""
        self.items.append(item)

    def receipt(self) -> Receipt:
        """All of it."""
        return Receipt(dry_run=self.dry_run, items=tuple(self.items))

    def _sizes(self, path: Path) -> Iterator[int]:
        """The sizes of its files, each once, however many names it has."""
        for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
            try:
                found = os.lstat(file)
            except FileNotFoundError:
                continue
            if file.is_dir() or (found.st_dev, found.st_ino) in self._measured:
                continue
            self._measured.add((found.st_dev, found.st_ino))
            yield found.st_size


def _try(how: Callable[[], object]) -> tuple[Outcome, str]:
    try:
        if how() is False:
            return "gone", ""
    except (NotFound, FileNotFoundError):
        return "gone", ""
    except Conflict as problem:
        return "in use", problem.message
    except (FtbridgeError, OSError) as problem:
        return "failed", _reason(problem)
    return "removed", ""


def _reason(problem: FtbridgeError | OSError) -> str:
    return problem.message if isinstance(problem, FtbridgeError) else (problem.strerror or str(problem)).lower()
