"""Converted rows are of the types of the vendors' SDKs and fit their OpenAPI documents, and have no unknown keys."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import msgspec
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ftbridge.dataset.canonical.example import SHAPE_OF, Example, System, Task, User
from ftbridge.dataset.canonical.rules import CHECKS
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Method
from ftbridge_providers.openai.format import OpenAIFormat
from random_examples import CONVERTERS, examples
from sdk_types import request_violations
from spec_check import SPECS, has_document
from vendor_cases import Case, case_parameters, converter

NAMES = {
    "openai": ("ChatCompletionRequest{}Message", "ChatCompletionTool", "FunctionObject"),
    "together": ("ChatCompletion{}MessageParam", "ToolsPart", ""),
}
"""What the vendors' documents call messages, tools and functions."""

_WEIGHT = {"weight": {"enum": [0, 1]}}
TRAINING_KEYS: dict[str, dict[str, dict[str, Any]]] = {
    "openai": {"assistant": _WEIGHT},
    "together": {
        **dict.fromkeys(("system", "user", "tool"), _WEIGHT),
        "assistant": {**_WEIGHT, "reasoning_content": {"type": "string"}},
    },
}
"""What messages of training files have beside the schemas, which are those of requests: from the vendors' guides."""


@cache
def sdk_type(vendor: str, name: str) -> Any:
    """The SDK's type of a message by a role, or of a `definition` of a tool."""
    if name != "definition":
        return getattr(import_module(f"{vendor}.types.chat"), f"ChatCompletion{name.capitalize()}MessageParam")
    if vendor == "openai":
        return import_module("openai.types.chat").ChatCompletionFunctionToolParam
    return import_module("together.types").ToolsParam


def by_the_sdk(vendor: str, kind: str, value: Any) -> list[str]:
    """What is wrong with a message or a tool by the SDK's types."""
    if kind == "tool":
        return request_violations(sdk_type(vendor, "definition"), value)
    beside = TRAINING_KEYS[vendor].get(value["role"], {})
    assert all(value[key] in (0, 1) for key in value.keys() & {"weight"})
    value = {key: part for key, part in value.items() if key not in beside}
    found = request_violations(sdk_type(vendor, value["role"]), value)
    # `index` is what replies carry; the rows in Together's fine-tuning guides have none
    return [one for one in found if not one.endswith("index is missing")]


def by_the_document(vendor: str, kind: str, value: Any) -> list[str]:
    """The same by the vendor's document, where it is at hand."""
    message, tool, _ = NAMES[vendor]
    name = tool if kind == "tool" else message.format(value["role"].capitalize())
    return [error.message for error in validator(vendor, name).iter_errors(value)] if has_document(vendor) else []


def schema_of(vendor: str) -> dict[str, Any]:
    """The vendor's document, closed to unknown keys, with the weight that only training files know."""
    document: dict[str, Any] = msgspec.json.decode((SPECS / f"{vendor}.json").read_bytes())
    schemas = document["components"]["schemas"]
    message, tool, function = NAMES[vendor]
    for name in (*map(message.format, ("System", "Developer", "User", "Assistant", "Tool")), tool, function):
        if name in schemas:
            schemas[name]["additionalProperties"] = False
    for role, keys in TRAINING_KEYS[vendor].items():
        if (name := message.format(role.capitalize())) in schemas:
            schemas[name]["properties"] |= keys
    if vendor == "together":
        schemas["ToolsPart"]["properties"]["function"]["additionalProperties"] = False
        schemas["ToolChoice"]["required"].remove("index")
    return document


@cache
def validator(vendor: str, name: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource("spec:", DRAFT202012.create_resource(schema_of(vendor)))
    return Draft202012Validator({"$ref": f"spec:#/components/schemas/{name}"}, registry=registry)


def violations(vendor: str, kind: str, value: Any) -> list[str]:
    """What is wrong with a message or a tool, by both witnesses."""
    return by_the_sdk(vendor, kind, value) + by_the_document(vendor, kind, value)


def check_row(vendor: str, row: Any) -> None:
    """Every message and tool of a row is as the vendor's schemas have it, and there is no key beside them."""
    chat = row.get("input", row)
    messages = [*chat.get("messages", ()), *row.get("preferred_output", ()), *row.get("non_preferred_output", ())]
    assert [violations(vendor, "message", message) for message in messages] == [[]] * len(messages)
    tools = chat.get("tools", ())
    assert [violations(vendor, "tool", tool) for tool in tools] == [[]] * len(tools)
    assert chat.keys() <= {"messages", "tools", "parallel_tool_calls", "text"} - (
        {"parallel_tool_calls"} if vendor == "together" else {"text"}
    )


def has_schema(vendor: str, case: Case) -> bool:
    """Together's document has no parts in the assistant's messages, though its vision guide asks for them."""
    row = case.golden[vendor].row
    return row != "refused" and not (vendor == "together" and "image_url" in msgspec.json.encode(case.example).decode())


@pytest.mark.parametrize(
    ("vendor", "case"), [one for one in case_parameters("openai", "together") if has_schema(*one.values)]
)
def test_row_fits_the_schema_of_its_vendor(vendor: str, case: Case) -> None:
    row = converter(vendor, case.example).convert(case.example, Diagnostics())
    check_row(vendor, msgspec.json.decode(msgspec.json.encode(row)))


@pytest.mark.parametrize("name", ["openai sft", "openai dpo", "together sft", "together dpo"])
@given(example=examples)
def test_every_valid_row_that_is_not_refused_fits_the_schema(name: str, example: Example) -> None:
    vendor, diagnostics = name.split()[0], Diagnostics()
    CHECKS[SHAPE_OF[type(example)]](example, diagnostics)
    row = CONVERTERS[name].convert(example, diagnostics)
    data = msgspec.json.encode(row)
    if not diagnostics.errors and not (vendor == "together" and b'"image_url"' in data):
        check_row(vendor, msgspec.json.decode(data))


def test_a_task_fits_openais_schema_beside_what_the_grader_reads() -> None:
    task = Task([System("Be brief."), User("2+2?")], reference={"answer": "4"})
    row = OpenAIFormat("t", "o4-mini-2025-04-16", Method.RFT).convert(task, Diagnostics())
    plain = msgspec.json.decode(msgspec.json.encode(row))
    assert plain.pop("answer") == "4"
    check_row("openai", plain)


@pytest.mark.parametrize("vendor", ["openai", "together"])
def test_schema_refuses_what_was_not_converted(vendor: str) -> None:
    witnesses = [by_the_sdk, *([by_the_document] if has_document(vendor) else [])]
    for refused in witnesses:
        assert refused(vendor, "message", {"role": "user", "content": "Hi", "mood": "good"})
        assert refused(vendor, "message", {"role": "tool", "content": [{"type": "image_url"}], "tool_call_id": "1"})
