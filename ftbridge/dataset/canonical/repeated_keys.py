"""Where a key of a JSON object comes again in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ftbridge.dataset.findings import Diagnostics
from ftbridge.wording import json_path, printable


class _Pairs(list[tuple[str, Any]]):
    """An object with its keys as often as they were written."""


def repeated_keys(raw: bytes, diagnostics: Diagnostics) -> None:
    """A warning for each key of the row `raw` that stands in its object already."""
    try:
        found = list(_repeated(json.loads(raw, object_pairs_hook=_Pairs), ()))
    except (ValueError, RecursionError):  # Python's parser is not as wide and deep as msgspec's
        found = []
    for path, key in found or [("$", "")]:
        said = f"the key '{printable(key)}' comes again in its object" if key else "a key comes twice in an object"
        fix = "Keep one of the two: convert and prepare write the last."
        diagnostics.warning(path, "repeated_key", f"{said}, and readers differ on which one counts", fix)


def _repeated(value: Any, where: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, inner in value:
            if key in seen:
                yield json_path((*where, key)), key
            seen.add(key)
            yield from _repeated(inner, (*where, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _repeated(inner, (*where, index))
