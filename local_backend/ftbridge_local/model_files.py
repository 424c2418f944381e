"""The files of a model, which may be anybody's: read within limits, and whatever is wrong with one is a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.errors import FtbridgeError, ModelNotFound

_MOST_BYTES = 16_000_000
_MOST_TOKENIZER_BYTES = 200_000_000  # the largest known have a sixth of it
_RESOURCES = ("OutOfMemoryError", "MemoryError")  # which are not the model's fault
_PANIC = "PanicException"  # of libraries in Rust; it is no Exception
_LONGEST_REASON = 300  # characters


def read_object(file: Path) -> dict[str, Any]:
    """The JSON object in a file, empty where there is no such file. Raises `ModelNotFound`."""
    if not file.exists():
        return {}
    check_file(file)
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as problem:
        raise broken(file.parent, f"its {file.name} is not valid JSON: {reason_of(problem)}") from problem
    if not isinstance(content, dict):
        raise broken(file.parent, f"its {file.name} is not a JSON object")
    return content


def check_file(file: Path) -> None:
    """Raises `ModelNotFound` for what is no regular file, or a file that is too large for what it is."""
    if not file.is_file():
        raise broken(file.parent, f"its {file.name} is not a regular file")
    most = _MOST_TOKENIZER_BYTES if file.name == "tokenizer.json" else _MOST_BYTES
    if (size := file.stat().st_size) > most:
        raise broken(file.parent, f"its {file.name} has {size / 1e6:,.0f} MB, and {most / 1e6:,.0f} MB are read")


@contextmanager
def understood(folder: Path, what: str = "it cannot be read") -> Iterator[None]:
    """Raise `ModelNotFound` for what the libraries that read the model in `folder` raise in the block."""
    try:
        yield
    except FtbridgeError:
        raise
    except BaseException as problem:
        kind = type(problem).__name__
        if kind in _RESOURCES or (kind != _PANIC and not isinstance(problem, Exception)):
            raise
        raise broken(folder, f"{what}: {reason_of(problem)}") from problem


def broken(folder: Path, why: str) -> ModelNotFound:
    """The error for a model whose files are not as they should be."""
    return ModelNotFound(
        f"the model in {folder} cannot be used: {why}",
        hint="Download or save it again, or name another model.",
    )


def reason_of(problem: BaseException) -> str:
    """The first line of an error of a library, with its class where the line alone says little."""
    first = next((line.strip() for line in str(problem).splitlines() if line.strip()), "")[:_LONGEST_REASON]
    return first if " " in first else f"{type(problem).__name__} {first}".strip()
