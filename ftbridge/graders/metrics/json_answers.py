"""Structured answers: JSON, compared field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ftbridge.dataset.canonical.schemas import read_schema
from ftbridge.graders.grade import Grade, RowProblem
from ftbridge.graders.metrics.metric import GradedRow, Item, Metric, Sample, expected_text
from ftbridge.graders.metrics.values import fields_of, overlap, parsed


class Json(Metric):
    """F1 over the fields of the expected and the given JSON, each a path with its value; 0 where it is no JSON.

    An answer passes where both are equal. `schema`, or that in the row's own `response_format`, is checked as well.
    """

    name: ClassVar[str] = "json"

    def __init__(self, schema: Mapping[str, Any] | None = None) -> None:
        self._schema = schema

    def grade(self, item: Item, sample: Sample) -> Grade:
        """The grade of one answer; `details` are valid, equal, schema_valid, precision, recall and f1."""
        try:
            expected = fields_of(parsed(expected_text(item)))
        except ValueError:
            raise RowProblem("invalid_variable_error", "the expected answer is no JSON") from None
        try:
            value = parsed(sample["output_text"])
            given = fields_of(value)
        except ValueError:
            return Grade(passed=False, details={"valid": False, "equal": False})
        scores, equal = overlap(expected, given), expected == given
        details = {"valid": True, "equal": equal, **scores}
        schema = self._schema or _schema_of(item)
        if schema is not None and (valid := fits(schema, value)) is not None:
            details["schema_valid"] = valid
        return Grade(score=scores["f1"], passed=equal, details=details)

    def summarise(self, rows: Sequence[GradedRow]) -> dict[str, Any]:
        """The shares of answers that are JSON, equal, and as the schema has it."""
        grades = [row.grade for row in rows if not row.grade.error]
        with_schema = [grade for grade in grades if "schema_valid" in grade.details]
        shares = {name: _share([grade.details[name] for grade in grades]) for name in ("valid", "equal") if grades}
        if with_schema:
            shares["schema_valid"] = _share([grade.details["schema_valid"] for grade in with_schema])
        return shares


def fits(schema: Mapping[str, Any], value: Any) -> bool | None:
    """Whether a value is as the JSON Schema has it; `None` where the schema itself cannot be used."""
    validator = read_schema(json.dumps(schema).encode()).validator
    return None if validator is None else validator.is_valid(value)


def _schema_of(item: Item) -> Mapping[str, Any] | None:
    wanted = item.get("response_format")
    wanted = wanted.get("json_schema") if isinstance(wanted, Mapping) else None
    schema = wanted.get("schema") if isinstance(wanted, Mapping) else None
    return schema if isinstance(schema, Mapping) else None


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
