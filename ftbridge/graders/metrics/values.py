"""JSON values compared as JSON has them: the order of keys, and 1 or 1.0, make no difference; 1 and true do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

Field = tuple[tuple[str | int, ...], Hashable]
"""The path of a value that holds no others, and the value."""


def fields_of(value: Any) -> Counter[Field]:
    """Every field of a value; an empty object or list is one too. Two values are equal where their fields are."""
    return Counter(_fields(value, ()))


def parsed(text: str) -> Any:
    """The value of a text in JSON. Raises `ValueError`, also where it is nested too deeply."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def overlap(expected: Counter[Any], given: Counter[Any]) -> dict[str, float]:
    """Precision, recall and F1 of what was given; 1 where nothing was expected and nothing given."""
    both, all_expected, all_given = (expected & given).total(), expected.total(), given.total()
    precision = both / all_given if all_given else float(not all_expected)
    recall = both / all_expected if all_expected else float(not all_given)
    f1 = 2 * both / (all_expected + all_given) if all_expected + all_given else 1.0
    return {"precision": precision, "recall": recall, "f1": f1}


def _fields(value: Any, path: tuple[str | int, ...]) -> Iterator[Field]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _fields(one, (*path, key))
    elif isinstance(value, list) and value:
        for index, one in enumerate(value):
            yield from _fields(one, (*path, index))
    else:
        yield path, _leaf(value)


def _leaf(value: Any) -> Hashable:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, Mapping | list):
        return type(value).__name__
    return ("text", value) if isinstance(value, str) else value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
