"""Keys that occur more than once in a JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ftbridge.dataset.findings import Diagnostics
from ftbridge.wording import json_path, printable


class _Pairs(list[tuple[str, Any]]):
    """An object with every key as often as it was written."""


def repeated_keys(raw: bytes, diagnostics: Diagnostics) -> None:
    """A warning for each key of the row `raw` that its object already has."""
    try:
        found = list(_repeated(json.loads(raw, object_pairs_hook=_Pairs), ()))
    except (ValueError, RecursionError):  # Python's parser is not as wide and deep as msgspec's
        found = []
    for path, key in found or [("$", "")]:
        what = f"the key '{printable(key)}' is repeated in its object" if key else "a key is repeated in an object"
        fix = "Keep one of them: convert and prepare write the last."
        diagnostics.warning(path, "repeated_key", f"{what}, and readers differ on which value counts", fix)


def _repeated(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, inner in value:
            if key in seen:
                yield json_path((*path, key)), key
            seen.add(key)
            yield from _repeated(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _repeated(inner, (*path, index))
