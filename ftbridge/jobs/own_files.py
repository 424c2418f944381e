"""The files of a job are read again as the job read them."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from ftbridge.dataset.reading.given import Given
from ftbridge.model import Spec


def how_to_read(
    spec: Spec,
    data: Given,
    format: str | None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None,  # noqa: A002 - likewise
) -> tuple[str | None, Mapping[str, str] | None]:
    """The format and the map for `data`: those that are given, or else, where it is a file of the spec, the spec's."""
    if format is not None or map or not isinstance(data, str | PathLike):
        return format, map
    return (spec.format, spec.map) if _is_own(spec, Path(data)) else (None, None)


def _is_own(spec: Spec, data: Path) -> bool:
    own = [file for file in (spec.data, spec.validation) if file is not None and file.is_file()]
    return data.is_file() and any(data.samefile(file) for file in own)
