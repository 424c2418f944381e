"""Gemini's schemas become JSON Schema; jsonschema and mistral-common are witnesses."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ftbridge.dataset.formats.gemini_schema import to_json_schema

SCHEMAS: list[tuple[Any, Any]] = [
    *[
        ({"type": kind}, {"type": kind.lower()})
        for kind in ("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT")
    ],
    ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
    ({"type": "ARRAY", "items": {"type": "INTEGER"}}, {"type": "array", "items": {"type": "integer"}}),
    ({"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}, {"anyOf": [{"type": "string"}, {"type": "number"}]}),
    ({"type": "STRING", "enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
    ({"type": "STRING", "example": "Oslo"}, {"type": "string", "examples": ["Oslo"]}),
    (
        {"defs": {"City": {"type": "STRING"}}, "type": "OBJECT", "properties": {"city": {"ref": "#/defs/City"}}},
        {"$defs": {"City": {"type": "string"}}, "type": "object", "properties": {"city": {"$ref": "#/$defs/City"}}},
    ),
    (
        {"type": "OBJECT", "properties": {"type": {"type": "STRING"}}, "additionalProperties": {"type": "NUMBER"}},
        {"type": "object", "properties": {"type": {"type": "string"}}, "additionalProperties": {"type": "number"}},
    ),
    ({"type": "TYPE_UNSPECIFIED", "description": "x"}, {"description": "x"}),
    ({"type": "ARRAY", "minItems": "1", "maxItems": "3"}, {"type": "array", "minItems": 1, "maxItems": 3}),
    ({"type": "STRING", "format": "enum", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
    ({"type": "STRING", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
    ({"anyOf": [{"type": "STRING"}], "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ({"type": "string"}, {"type": "string"}),
]


@pytest.mark.parametrize(("gemini", "schema"), SCHEMAS)
def test_a_schema_of_gemini_is_a_json_schema(gemini: Any, schema: Any) -> None:
    assert to_json_schema(gemini) == schema
    Draft202012Validator.check_schema(schema)


def test_properties_are_in_the_order_that_gemini_tells() -> None:
    kinds = {name: {"type": "STRING"} for name in "abc"}
    made = to_json_schema({"type": "OBJECT", "properties": kinds, "propertyOrdering": ["c", "a"]})
    assert list(made["properties"]) == ["c", "a", "b"]
    assert "propertyOrdering" not in made


def test_mistral_takes_the_functions_of_a_gemini_row() -> None:
    requests = pytest.importorskip("mistral_common.protocol.instruct.tool_calls")
    validator = pytest.importorskip("mistral_common.protocol.instruct.validator")
    theirs = {"type": "OBJECT", "properties": {"days": {"type": "INTEGER", "nullable": True}}, "required": ["days"]}
    check = validator.MistralRequestValidatorV3()._validate_function
    check(requests.Function(name="w", parameters=to_json_schema(theirs)))
    with pytest.raises(Exception, match="INTEGER"):
        check(requests.Function(name="w", parameters=theirs))
