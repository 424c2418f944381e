"""The split that a folder holds already: of which file it is, so that no other one is replaced unasked."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.elsewhere import is_url
from ftbridge.errors import InputError
from ftbridge.foreign.paths import path_text
from ftbridge.wording import printable

TRAIN, VALIDATION, REPORT = "train.jsonl", "validation.jsonl", "report.json"


class _Report(Struct):
    """What is read of an earlier report; those of other programs, and of earlier versions, have no source."""

    source: str | None = None


def source_of(path: Data) -> str | None:
    """The file by a name that holds everywhere, or its URL; None for what cannot be read a second time."""
    if is_url(str(path)):
        return str(path)
    file = Path(path)
    return path_text(file.resolve()) if file.is_file() else None


def check_replaceable(folder: Path, path: Data) -> None:
    """Raises `InputError` unless what `prepare` writes into the folder is new there, or replaces a split of `path`."""
    there = next((name for name in (TRAIN, VALIDATION, REPORT) if (folder / name).exists()), None)
    if there is None:
        return
    earlier, source = _source_in(folder / REPORT), source_of(path)
    if source is not None and earlier == source:
        return
    made_of = f"was made of {printable(earlier, 200)}" if earlier else f"was not made of {printable(str(path), 200)}"
    raise InputError(
        f"{printable(str(folder / there), 200)} {made_of}, and would be overwritten",
        hint="Name another folder, or overwrite it with --force.",
    )


def _source_in(report: Path) -> str | None:
    try:
        return msgspec.json.decode(report.read_bytes(), type=_Report).source
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
