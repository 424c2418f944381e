"""Gemini's rows on Vertex AI: contents with parts, systemInstruction, tools; with completions, a preference.

Sources: docs.cloud.google.com, "Prepare supervised fine-tuning data" and "Preference tuning"; the discovery
document of Vertex AI (v1beta1), `GeminiPreferenceExample` and `ReinforcementTuningExample`; read 2026-11.
"""

from __future__ import annotations

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, has_keys
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.gemini_parts import CAMEL_CASE, instruction, turns
from ftbridge.dataset.formats.gemini_schema import to_json_schema

_NO_MEANING = ("generationConfig", "safetySettings", "labels")


def _gemini(row: FieldReader) -> JsonObject:
    translated = _chat(row, CallIds())
    row.finish()
    return translated


def _task(row: FieldReader) -> JsonObject:
    translated = _chat(row, CallIds()) | {"reference": row.take("references")}
    row.finish()
    return translated


def _preference(row: FieldReader) -> JsonObject:
    calls = CallIds()
    translated: JsonObject = {"input": _chat(row, calls)}
    scored = [_completion(one, calls.copy()) for one in row.objects("completions")]
    scored.sort(key=lambda pair: -pair[0])
    if len(scored) != 2 or scored[0][0] == scored[1][0]:
        row.refuse(
            "a preference has two completions, of which one has the higher score",
            'Give two: {"score": 1, "completion": …} and {"score": 0, "completion": …}.',
            "completions",
        )
    for name, (_, messages) in zip(("preferred_output", "non_preferred_output"), scored, strict=False):
        translated[name] = messages
    row.finish()
    return translated


def _completion(one: FieldReader, calls: CallIds) -> tuple[float, list[JsonObject]]:
    score, messages = one.take("score"), turns(one.object("completion"), calls)
    one.finish()
    return (score if isinstance(score, int | float) else 0.0), messages


def _chat(row: FieldReader, calls: CallIds) -> JsonObject:
    row.rename(CAMEL_CASE)
    messages = [instruction(row.object("systemInstruction"))] if row.has("systemInstruction") else []
    for content in row.objects("contents"):
        messages += turns(content, calls)
    translated: JsonObject = {"messages": messages}
    if row.has("tools"):
        translated["tools"] = [function for tool in row.objects("tools") for function in _functions(tool)]
    if row.has("toolConfig") and _calling_mode(row.object("toolConfig")) not in ("AUTO", "MODE_UNSPECIFIED"):
        fix = "Remove it, or use mode AUTO."
        row.refuse("it forces or forbids calls, which examples cannot say", fix, "toolConfig")
    if row.take("cachedContent"):
        fix = "Write them into the row."
        row.refuse("the contents in Google's cache are not in the file", fix, "cachedContent")
    for name in _NO_MEANING:
        row.take(name)
    return translated


def _functions(tool: FieldReader) -> list[JsonObject]:
    tool.rename(CAMEL_CASE)
    declared = tool.objects("functionDeclarations") if tool.has("functionDeclarations") else []
    functions = [_function(one) for one in declared]
    for other in tool.take_rest():
        tool.refuse(
            f"'{other}' is a tool of Google's, which no other vendor has",
            "Remove it, or declare a function.",
            other,
        )
    return functions


def _function(declaration: FieldReader) -> JsonObject:
    declaration.rename(CAMEL_CASE)
    function: JsonObject = {"name": declaration.text("name")}
    if declaration.has("description"):
        function["description"] = declaration.take("description")
    if declaration.has("parameters"):
        function["parameters"] = to_json_schema(declaration.take("parameters"))
    if declaration.has("parametersJsonSchema"):
        function["parameters"] = declaration.take("parametersJsonSchema")
    declaration.finish()
    return {"type": "function", "function": function}


def _calling_mode(config: FieldReader) -> str:
    config.rename(CAMEL_CASE)
    name = "functionCallingConfig"
    return (config.object(name).optional_text("mode") if config.has(name) else None) or "AUTO"


FORMATS = (
    Format("gemini-preference", "preference", has_keys("contents", "completions"), _preference),
    Format("gemini-task", "task", has_keys("contents", "references"), _task),
    Format("gemini", "chat", has_keys("contents"), _gemini),
)
