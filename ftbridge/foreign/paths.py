"""Paths as text: a file name is bytes, and not always UTF-8, which JSON and databases are."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

_URI = "file://"


def path_text(path: Path) -> str:
    """The path itself, or where that is not UTF-8 its URI (RFC 8089): `file:///tmp/caf%E9.jsonl`."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return path.absolute().as_uri()
    return text


def path_of_uri(given: object) -> Path | None:
    """The path that was written as a URI; None for anything else."""
    if isinstance(given, str) and given.startswith(_URI):
        return Path(os.fsdecode(unquote_to_bytes(given.removeprefix(_URI))))
    return None
