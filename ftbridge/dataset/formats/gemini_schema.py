"""Gemini's `Schema`, in which its functions describe their parameters, and JSON Schema.

Gemini's follows OpenAPI 3.0: types in capitals, `nullable`, numbers of 64 bits as strings.
Source: the discovery document of Vertex AI (v1beta1), `Schema`; read 2026-11.
"""

from __future__ import annotations

from typing import Any

from ftbridge.dataset.formats.base import JsonObject, without_nulls

_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_RENAMED = {"defs": "$defs", "ref": "$ref"}
_DEFS = "#/$defs/"


def to_json_schema(schema: Any) -> Any:
    """The JSON Schema that says the same as one of Gemini's."""
    if not isinstance(schema, dict):
        return schema
    translated = _inner(without_nulls(schema))
    for theirs, ours in _RENAMED.items():
        if theirs in translated:
            translated[ours] = translated.pop(theirs)
    if isinstance(translated.get("$ref"), str):
        translated["$ref"] = _DEFS + translated["$ref"].removeprefix("#/defs/").removeprefix(_DEFS)
    for key in _COUNTS:
        if isinstance(translated.get(key), str) and translated[key].isdecimal():
            translated[key] = int(translated[key])
    if "example" in translated:
        translated["examples"] = [translated.pop("example")]
    if translated.get("format") == "enum":
        del translated["format"]
    _in_order(translated)
    _json_type(translated)
    return translated


def _inner(schema: JsonObject) -> JsonObject:
    """The schema with those within it translated."""
    translated = dict(schema)
    for key in ("items", "additionalProperties"):
        if key in schema:
            translated[key] = to_json_schema(schema[key])
    if isinstance(schema.get("anyOf"), list):
        translated["anyOf"] = [to_json_schema(one) for one in schema["anyOf"]]
    for key in ("properties", "defs", "$defs"):
        if isinstance(schema.get(key), dict):
            translated[key] = {name: to_json_schema(one) for name, one in schema[key].items()}
    return translated


def _in_order(schema: JsonObject) -> None:
    """The properties in the order that `propertyOrdering` tells, which JSON Schema does not have."""
    order, properties = schema.pop("propertyOrdering", None), schema.get("properties")
    if isinstance(order, list) and isinstance(properties, dict):
        first = {name: properties[name] for name in order if isinstance(name, str) and name in properties}
        schema["properties"] = first | properties


def _json_type(schema: JsonObject) -> None:
    kind, nullable = schema.get("type"), schema.pop("nullable", False)
    if not isinstance(kind, str):
        if nullable and isinstance(schema.get("anyOf"), list):
            schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
        return
    if kind == "TYPE_UNSPECIFIED":
        del schema["type"]
    else:
        schema["type"] = [kind.lower(), "null"] if nullable else kind.lower()
        if nullable and isinstance(schema.get("enum"), list):
            schema["enum"] = [*schema["enum"], None]
