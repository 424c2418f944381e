"""Templates in a grader's texts: `{{item.answer}}` reads a row, `{{sample.output_text}}` the model's answer.

Source: the guide to graders, "Templating" (developers.openai.com/api/docs/guides/graders, read 2026-11): two
namespaces, and nested values "with JSON path like syntax", as in `{{sample.output_tools[0].function.name}}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from ftbridge.graders.grade import ErrorCode, RowProblem

NAMESPACES = ("item", "sample")

_STEP = r"""\.\s*[\w$-]+|\[\s*-?\d+\s*\]|\[\s*"[^"\]]*"\s*\]|\[\s*'[^'\]]*'\s*\]"""
_TEMPLATE = re.compile(r"\{\{\s*(\w+)((?:" + _STEP + r")*)([^{}]*)\}\}")
_STEPS = re.compile(_STEP)


class Reference(NamedTuple):
    """One template: the keys and indices `path` below a namespace; `rest` is what is no path, "" in a valid one."""

    namespace: str
    path: tuple[str | int, ...]
    rest: str = ""

    @property
    def key(self) -> str:
        """The first name after the namespace, "" where there is none."""
        return self.path[0] if self.path and isinstance(self.path[0], str) else ""

    def __str__(self) -> str:
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{{{{{self.namespace}{''.join(steps)}{self.rest}}}}}"


def fill(template: str, item: Mapping[str, Any], sample: Mapping[str, Any]) -> str:
    """`template` with the values that it reads; a value that is no text is written as JSON.

    Raises `RowProblem` where the row (`invalid_variable_error`) or the answer (`sample_parse_error`) lacks one.
    """
    spaces = {"item": item, "sample": sample}
    return _TEMPLATE.sub(lambda match: _text(_look_up(_reference(match), spaces)), template)


def keys_read(given: Mapping[str, Any], namespace: Literal["item", "sample"] = "item") -> frozenset[str]:
    """The keys of the item, or of the sample, that the templates of a grader object read.

    What the source of a python grader reads is not known.
    """
    return frozenset(reference.key for _, reference in references(given) if reference.namespace == namespace)


def references(given: Any, path: str = "grader") -> Iterator[tuple[str, Reference]]:
    """Every template in a grader object, with its JSON path; the source of a python grader has none."""
    if isinstance(given, str):
        for match in _TEMPLATE.finditer(given):
            yield path, _reference(match)
    elif isinstance(given, Mapping):
        for key, value in given.items():
            if key != "source":
                yield from references(value, f"{path}.{key}")
    elif isinstance(given, list | tuple):
        for index, value in enumerate(given):
            yield from references(value, f"{path}[{index}]")


def _reference(match: re.Match[str]) -> Reference:
    return Reference(match[1], tuple(map(_step, _STEPS.findall(match[2]))), match[3].strip())


def _step(written: str) -> str | int:
    if written.startswith("."):
        return written[1:].strip()
    inner = written[1:-1].strip()
    return inner[1:-1] if inner[0] in "\"'" else int(inner)


def _look_up(reference: Reference, spaces: Mapping[str, Mapping[str, Any]]) -> Any:
    value: Any = spaces[reference.namespace]
    for step in reference.path:
        if isinstance(value, str):  # the arguments of a tool call are an object written as a text
            value = _decoded(value)
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            raise _lacking(reference) from None
    return value


def _lacking(reference: Reference) -> RowProblem:
    code: ErrorCode = "invalid_variable_error" if reference.namespace == "item" else "sample_parse_error"
    who = "the row" if reference.namespace == "item" else "the answer"
    why = " (it is no JSON)" if reference.namespace == "sample" and reference.key == "output_json" else ""
    return RowProblem(code, f"{who} has no {reference}{why}")


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
