"""Templates in a grader's texts: `{{item.answer}}` reads a row, `{{sample.output_text}}` the model's answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

NAMESPACES = ("item", "sample")

_TEMPLATE = re.compile(r"\{\{\s*(\w+)(?:\.(\w+))?[^}]*\}\}")


class Reference(NamedTuple):
    """One template: `key` is the first name after the namespace, "" where there is none."""

    namespace: str
    key: str

    def __str__(self) -> str:
        return f"{{{{{self.namespace}{'.' if self.key else ''}{self.key}}}}}"


def keys_read(given: Mapping[str, Any], namespace: Literal["item", "sample"] = "item") -> frozenset[str]:
    """The keys of the item, or of the sample, that the templates of a grader object read.

    What the source of a python grader reads is not known.
    """
    return frozenset(reference.key for _, reference in references(given) if reference.namespace == namespace)


def references(given: Any, path: str = "grader") -> Iterator[tuple[str, Reference]]:
    """Every template in a grader object, with its JSON path; the source of a python grader has none."""
    if isinstance(given, str):
        for namespace, key in _TEMPLATE.findall(given):
            yield path, Reference(namespace, key)
    elif isinstance(given, Mapping):
        for key, value in given.items():
            if key != "source":
                yield from references(value, f"{path}.{key}")
    elif isinstance(given, list | tuple):
        for index, value in enumerate(given):
            yield from references(value, f"{path}[{index}]")
