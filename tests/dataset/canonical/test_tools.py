"""The JSON Schemas of tools, each checked once, and the arguments of calls held against them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import Finding, check
from ftbridge.dataset.canonical.schemas import read_schema
from planted_rows import ANSWER, USER, chat, only, write

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def tool(parameters: Any, name: str = "weather") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def calling(arguments: Any, name: str = "weather", key: str = "call_1") -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"role": "assistant", "tool_calls": [{"id": key, "type": "function", "function": function}]}


def found(folder: Path, *rows: Any) -> list[Finding]:
    return list(check(write(folder, *rows)).findings)


@pytest.mark.parametrize(
    ("parameters", "path", "message", "fix"),
    [
        (
            {"type": "object", "properties": {"city": {"type": "str"}}},
            ".properties.city.type",
            "'str' is not a type of JSON Schema",
            "Did you mean 'string'? The types are string, integer, number, boolean, array, object, null.",
        ),
        (
            {**CITY, "required": "city"},
            ".required",
            "'required' is a string, but must be a list of names",
            'Write ["city"].',
        ),
        (
            {"type": "object", "properties": {"city": {"type": "string", "required": True}}},
            ".properties.city.required",
            "'required' is true or false, but must be a list of names",
            "List the names of required properties in the 'required' of the object that has them.",
        ),
        (
            {"type": "OBJECT"},
            ".type",
            "'OBJECT' is not a type of JSON Schema",
            "Did you mean 'object'? The types are string, integer, number, boolean, array, object, null.",
        ),
        (
            {"properties": ["city"]},
            ".properties",
            'this is no valid JSON Schema: ["city"] is not of type "object"',
            "Correct the tool's parameters.",
        ),
        (
            {"$defs": {"Place": {"type": "place"}}},
            '["$defs"].Place.type',
            "'place' is not a type of JSON Schema",
            "The types are string, integer, number, boolean, array, object, null.",
        ),
        (
            {"properties": {"place": {"$ref": "#/$defs/Place"}}},
            "",
            "this is no valid JSON Schema: Pointer '/$defs/Place' does not exist",
            "Correct the tool's parameters.",
        ),
    ],
)
def test_parameters_that_are_no_json_schema_are_an_error(
    tmp_path: Path, parameters: Any, path: str, message: str, fix: str
) -> None:
    [one] = found(tmp_path, chat(USER, ANSWER, tools=[tool({}, "now"), tool(parameters)]))
    assert (one.level, one.code, one.path) == ("error", "tool_schema", f"$.tools[1].function.parameters{path}")
    assert (one.message, one.fix) == (message, fix)


def test_every_problem_of_a_schema_is_told_for_each_row_that_has_it(tmp_path: Path) -> None:
    spoilt = {"type": "object", "properties": {"a": {"type": "str"}}, "required": "a"}
    rows = [chat(USER, ANSWER, tools=[tool(spoilt)])] * 2
    assert sorted((one.line, one.path.removeprefix("$.tools[0].function.")) for one in found(tmp_path, *rows)) == [
        (1, "parameters.properties.a.type"),
        (1, "parameters.required"),
        (2, "parameters.properties.a.type"),
        (2, "parameters.required"),
    ]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        CITY,
        {"items": [{"type": "string"}]},  # Draft 7, as pydantic 1 writes it
        {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"A": {"type": "string"}}},  # as zod does
        {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True},
        {"$schema": "https://example.org/a-draft-of-ours", "type": "object"},
        {"prefixItems": [{"type": "string"}], "x-ours": {"type": "str"}},
        {"properties": {"place": {"$ref": "#/$defs/Place"}}, "$defs": {"Place": {"type": ["string", "null"]}}},
        {"properties": {"place": {"$ref": "https://example.org/place.json"}}},  # nothing is fetched
        {"properties": {"city": {"pattern": "(["}}},  # engines differ on patterns
    ],
)
def test_a_schema_of_any_draft_is_valid(tmp_path: Path, parameters: Any) -> None:
    assert found(tmp_path, chat(USER, ANSWER, tools=[tool(parameters)])) == []


def test_a_preferences_tools_are_checked_too(tmp_path: Path) -> None:
    pair = {"input": chat(USER, tools=[tool({"type": "str"})]), "preferred_output": [ANSWER]}
    [one] = found(tmp_path, {**pair, "non_preferred_output": [{**ANSWER, "content": "No"}]})
    assert (one.code, one.path) == ("tool_schema", "$.input.tools[0].function.parameters.type")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"town": "Oslo"}, 'at $: "city" is a required property'),
        ({"city": 5}, 'at $.city: 5 is not of type "string"'),
    ],
)
def test_arguments_that_the_schema_does_not_allow_are_a_warning(tmp_path: Path, arguments: Any, reason: str) -> None:
    [one] = found(tmp_path, chat(USER, calling(arguments), tools=[tool(CITY)]))
    assert (one.level, one.code) == ("warning", "arguments_schema")
    assert one.path == "$.messages[1].tool_calls[0].function.arguments"
    assert one.message == f"the arguments do not fit the tool's parameters, {reason}"


def test_three_problems_of_a_calls_arguments_are_shown(tmp_path: Path) -> None:
    parameters = {"required": ["a", "b", "c", "d"]}
    assert len(found(tmp_path, chat(USER, calling({}), tools=[tool(parameters)]))) == 3


def test_the_calls_of_an_output_are_held_against_the_inputs_tools(tmp_path: Path) -> None:
    pair = {"input": chat(USER, tools=[tool(CITY)]), "preferred_output": [calling({"city": "Oslo"})]}
    [one] = found(tmp_path, {**pair, "non_preferred_output": [calling({"town": "Oslo"})]})
    assert (one.code, one.path) == ("arguments_schema", "$.non_preferred_output[0].tool_calls[0].function.arguments")


def test_a_call_in_a_row_without_tools_is_a_warning_once(tmp_path: Path) -> None:
    result = {"role": "tool", "tool_call_id": "call_1", "content": "4"}
    row = chat(USER, calling({}), result, calling({}, key="call_1"), result, ANSWER)
    one = only(check(write(tmp_path, row)))
    assert (one.level, one.code) == ("warning", "undeclared_tool")
    assert one.path == "$.messages[1].tool_calls[0].function.name"


def test_a_schema_is_read_once() -> None:
    assert read_schema(b'{"type":"object"}') is read_schema(b'{"type":"object"}')
