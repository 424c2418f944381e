"""Gemini's schemas become JSON Schema and back; mistral-common and Vertex AI's own document are witnesses."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ftbridge.dataset.formats.gemini_schema import from_json_schema, to_json_schema

PAIRS: list[tuple[Any, Any]] = [
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
]
ONE_WAY: list[tuple[Any, Any]] = [
    ({"type": "TYPE_UNSPECIFIED", "description": "x"}, {"description": "x"}),
    ({"type": "ARRAY", "minItems": "1", "maxItems": "3"}, {"type": "array", "minItems": 1, "maxItems": 3}),
    ({"type": "STRING", "format": "enum", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
    ({"type": "STRING", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
    ({"anyOf": [{"type": "STRING"}], "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ({"type": "string"}, {"type": "string"}),
]
DOCUMENT = Path(__file__).parents[4] / "shared" / "specs" / "vertex.json"


@pytest.mark.parametrize(("gemini", "schema"), [*PAIRS, *ONE_WAY])
def test_a_schema_of_gemini_is_a_json_schema(gemini: Any, schema: Any) -> None:
    assert to_json_schema(gemini) == schema
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(("gemini", "schema"), PAIRS)
def test_a_json_schema_is_a_schema_of_gemini(gemini: Any, schema: Any) -> None:
    assert from_json_schema(schema) == gemini


def test_properties_are_in_the_order_that_gemini_tells() -> None:
    kinds = {name: {"type": "STRING"} for name in "abc"}
    made = to_json_schema({"type": "OBJECT", "properties": kinds, "propertyOrdering": ["c", "a"]})
    assert list(made["properties"]) == ["c", "a", "b"]
    assert "propertyOrdering" not in made


simple = st.sampled_from(["string", "number", "integer", "boolean"]).flatmap(
    lambda kind: st.sampled_from([{"type": kind}, {"type": [kind, "null"]}, {"type": kind, "description": "x"}])
)
schemas = st.recursive(
    simple,
    lambda inner: st.one_of(
        inner.map(lambda one: {"type": "array", "items": one}),
        st.dictionaries(st.sampled_from(["type", "items", "city"]), inner, min_size=1, max_size=3).map(
            lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)}
        ),
        st.lists(inner, min_size=2, max_size=3).map(lambda several: {"anyOf": several}),
    ),
    max_leaves=8,
)


@given(schemas)
def test_there_and_back_is_the_same_schema(schema: Any) -> None:
    assert to_json_schema(from_json_schema(schema)) == schema


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the document is not at hand")
@given(schemas)
def test_vertex_ai_knows_every_key_and_type_that_is_written(schema: Any) -> None:
    known = _documented()
    for inner in _all_schemas(from_json_schema(schema)):
        assert inner.keys() <= known.keys()
        assert inner.get("type", "STRING") in known["type"]["enum"]


@cache
def _documented() -> Any:
    return json.loads(DOCUMENT.read_text())["schemas"]["GoogleCloudAiplatformV1beta1Schema"]["properties"]


def _all_schemas(schema: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [schema["items"]] if "items" in schema else []
    inner += [*schema.get("anyOf", ()), *schema.get("properties", {}).values()]
    return [schema, *(one for item in inner for one in _all_schemas(item))]


def test_mistral_takes_the_functions_of_a_gemini_row() -> None:
    requests = pytest.importorskip("mistral_common.protocol.instruct.tool_calls")
    validator = pytest.importorskip("mistral_common.protocol.instruct.validator")
    theirs = {"type": "OBJECT", "properties": {"days": {"type": "INTEGER", "nullable": True}}, "required": ["days"]}
    check = validator.MistralRequestValidatorV3()._validate_function
    check(requests.Function(name="w", parameters=to_json_schema(theirs)))
    with pytest.raises(Exception, match="INTEGER"):
        check(requests.Function(name="w", parameters=theirs))
