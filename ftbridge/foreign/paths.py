"""Paths as text: a file name is bytes, and not always UTF-8, which JSON and databases are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from pydantic import PlainSerializer, ValidatorFunctionWrapHandler, WrapValidator

_URI = "file://"


def path_text(path: Path) -> str:
    """The path itself, or where that is not UTF-8 its URI (RFC 8089): `file:///tmp/caf%E9.jsonl`."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return path.absolute().as_uri()
    return text


def _path_of(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(given, str) and given.startswith(_URI):  # pydantic makes no path of a text that is not UTF-8
        return Path(os.fsdecode(unquote_to_bytes(given.removeprefix(_URI))))
    return validate(given)


StoredPath = Annotated[Path, WrapValidator(_path_of), PlainSerializer(path_text, return_type=str, when_used="json")]
"""A field for the path of a file, whatever its name."""
