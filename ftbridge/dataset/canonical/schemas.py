"""JSON Schemas of tools, each distinct one checked once.

A schema that names no draft is read as the newest, 2020-12, or as Draft 7 where it has Draft 7's list of `items`.
Mistral checks by Draft 7 (mistral-common 1.13, instruct/validator.py); OpenAI's and Together's documents name none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ftbridge.wording import printable

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

_KEPT = 1024  # schemas
_NEWEST, _DRAFT_7 = "https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"
_DRAFTS = (
    *(_NEWEST, "https://json-schema.org/draft/2019-09/schema"),
    *(_DRAFT_7, "http://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-04/schema#"),
)
_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_OTHER_NAMES = {"str": "string", "int": "integer", "float": "number", "double": "number", "bool": "boolean"} | {
    "list": "array",
    "tuple": "array",
    "dict": "object",
    "map": "object",
    "none": "null",
}
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class SchemaProblem(NamedTuple):
    """What is wrong at a path below the schema, and what to do."""

    path: Sequence[str | int]
    message: str
    fix: str


class Schema(NamedTuple):
    """A schema's problems, or how values are held against it.

    It has neither where it refers to what is elsewhere, or has a pattern that only other engines read.
    """

    problems: tuple[SchemaProblem, ...]
    validator: Validator | None

    def broken_by(self, value: dict[str, Any], most: int) -> Iterator[tuple[Sequence[str | int], str]]:
        """Path and reason of the first places where the value is not as the schema has it."""
        if self.validator is None or self.validator.is_valid(value):
            return
        for _, error in zip(range(most), self.validator.iter_errors(value), strict=False):
            yield error.instance_path, error.message


@lru_cache(maxsize=_KEPT)
def read_schema(encoded: bytes) -> Schema:
    """The schema in JSON."""
    import jsonschema_rs  # only rows with tools need it

    schema = _decode(encoded)
    named = f"{str(schema.get('$schema')).rstrip('#')}"
    draft = next((known for known in _DRAFTS if known.rstrip("#") == named), None)
    draft = draft or (_DRAFT_7 if _has_listed_items(schema) else _NEWEST)
    whole = {**schema, "$schema": draft}
    found = {tuple(error.instance_path): error for error in _metaschema(draft).iter_errors(whole)}
    if not found:
        try:
            return Schema((), jsonschema_rs.validator_for(whole, offline=True))
        except jsonschema_rs.ValidationError as problem:
            found = {} if _is_elsewhere(schema) else {tuple(problem.instance_path): problem}
    return Schema(tuple(_problem(error) for path, error in found.items() if path[-1:] != ("pattern",)), None)


@lru_cache(maxsize=len(_DRAFTS))
def _metaschema(draft: str) -> Validator:
    import jsonschema_rs

    return jsonschema_rs.validator_for({"$schema": draft, "$ref": draft}, offline=True)


def _has_listed_items(value: Any) -> bool:
    """Whether `items` is a list somewhere, as it can be until draft 2019-09."""
    if isinstance(value, dict):
        return isinstance(value.get("items"), list) or any(map(_has_listed_items, value.values()))
    return isinstance(value, list) and any(map(_has_listed_items, value))


def _is_elsewhere(value: Any) -> bool:
    """Whether a part of the schema is in another document, which is not fetched."""
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            return True
        return any(map(_is_elsewhere, value.values()))
    return isinstance(value, list) and any(map(_is_elsewhere, value))


def _problem(error: ValidationError) -> SchemaProblem:
    path, value = error.instance_path, error.instance
    key = path[-1] if path else None
    if key == "type" and isinstance(value, str):
        near = _OTHER_NAMES.get(value.lower()) or next(iter(get_close_matches(value.lower(), _TYPES, n=1)), None)
        meant = f"Did you mean '{near}'? " if near else ""
        return SchemaProblem(
            path, f"'{printable(value)}' is not a type of JSON Schema", f"{meant}The types are {', '.join(_TYPES)}."
        )
    if key == "required" and isinstance(value, str):
        fix = f'Write ["{printable(value)}"].'
        return SchemaProblem(path, "'required' is a string, but must be a list of names", fix)
    if key == "required" and isinstance(value, bool):
        fix = "List the names of required properties in the 'required' of the object that has them."
        return SchemaProblem(path, "'required' is true or false, but must be a list of names", fix)
    reason = printable(error.message, 200)
    return SchemaProblem(path, f"this is no valid JSON Schema: {reason}", "Correct the tool's parameters.")
