"""Everything that is wrong with the form of a row, told by walking it beside the canonical types.

The types in `example` are the only description of the format: what is required, which keys
there are and what each may hold is read from them.
"""

from __future__ import annotations

import difflib
from typing import Any

from msgspec import inspect

from ftbridge.dataset import example
from ftbridge.dataset.findings import Notes
from ftbridge.dataset.printable import child, printable
from ftbridge.dataset.syntax import kind_of

_NAMES: dict[type, str] = {
    example.TextPart: "a text part",
    example.ImageUrl: "an image_url",
    example.ImagePart: "an image part",
    example.FunctionCall: "a function call",
    example.ToolCall: "a tool call",
    example.Function: "a function",
    example.ToolDefinition: "a tool",
    example.System: "a system message",
    example.Developer: "a developer message",
    example.User: "a user message",
    example.Assistant: "an assistant message",
    example.Tool: "a tool message",
    example.Chat: "a chat",
    example.Preference: "a preference",
    example.Text: "a text",
}
_KEY_FIXES = {
    "weight": "Only assistant messages have a weight: remove it here.",
    "function_call": "Use tool_calls, a list of {id, type, function}, in place of the old function_call.",
    "functions": "Use tools, a list of {type, function}, in place of the old functions.",
    "tool_calls": "Only assistant messages call tools.",
    "tool_call_id": "Only tool messages answer a call.",
}
_ROLE_FIXES = {
    "function": "Use role 'tool' with the tool_call_id of the call it answers.",
    "human": "Use 'user'.",
    "gpt": "Use 'assistant'.",
    "bot": "Use 'assistant'.",
    "model": "Use 'assistant'.",
}


def explain(value: Any, shape: type, notes: Notes) -> None:
    """Write down every place where `value`, read as JSON, does not have the form of `shape`."""
    _walk(value, inspect.type_info(shape), "$", notes)


def _walk(value: Any, kind: inspect.Type, path: str, notes: Notes) -> None:
    if isinstance(kind, inspect.UnionType):
        _walk_union(value, kind, path, notes)
    elif isinstance(kind, inspect.StructType):
        _walk_struct(value, kind, path, notes)
    elif isinstance(kind, inspect.ListType):
        if not isinstance(value, list):
            _wrong(value, "a list", path, notes)
            return
        for index, item in enumerate(value):
            _walk(item, kind.item_type, child(path, index), notes)
    elif isinstance(kind, inspect.LiteralType):
        if isinstance(value, bool) or value not in kind.values:
            _wrong(value, " or ".join(repr(known) for known in kind.values), path, notes)
    elif not isinstance(kind, inspect.AnyType) and not _is(value, kind):
        _wrong(value, _wanted(kind), path, notes)


def _walk_union(value: Any, kind: inspect.UnionType, path: str, notes: Notes) -> None:
    """Follow the one member that the value means to be."""
    structs = [member for member in kind.types if isinstance(member, inspect.StructType)]
    if isinstance(value, dict) and structs:
        _walk_tagged(value, structs, path, notes)
        return
    for member in kind.types:
        if _is(value, member):
            _walk(value, member, path, notes)
            return
        if isinstance(member, inspect.LiteralType) and value is not None:
            _walk(value, member, path, notes)
            return
    if value is None:
        _wrong(value, " or ".join(_wanted(member) for member in kind.types), path, notes)
        return
    wanted = [_wanted(member) for member in kind.types if not isinstance(member, inspect.NoneType)]
    _wrong(value, " or ".join(dict.fromkeys(wanted)), path, notes)


def _walk_tagged(value: dict[str, Any], structs: list[inspect.StructType], path: str, notes: Notes) -> None:
    if structs[0].tag_field is None:
        _walk_struct(value, structs[0], path, notes)
        return
    field = structs[0].tag_field
    members = {str(struct.tag): struct for struct in structs}
    known = ", ".join(members)
    if field not in value:
        notes.error(path, f"missing_{field}", f"the key '{field}' is missing", f"Give one of: {known}.")
        return
    tag = value[field]
    if isinstance(tag, str) and tag in members:
        _walk_struct(value, members[tag], path, notes)
        return
    near = _nearest(tag, list(members)) if isinstance(tag, str) else None
    fix = f"Use one of: {known}." if near is None else f"Did you mean '{near}'? Use one of: {known}."
    if field == "role" and isinstance(tag, str):
        fix = _ROLE_FIXES.get(tag.lower(), fix)
    notes.error(child(path, field), f"unknown_{field}", f"'{printable(tag)}' is not a {field}", fix)


def _walk_struct(value: Any, kind: inspect.StructType, path: str, notes: Notes) -> None:
    name = _NAMES[kind.cls]
    if not isinstance(value, dict):
        _wrong(value, f"{name}, an object", path, notes)
        return
    fields = {field.encode_name: field for field in kind.fields}
    tags = {kind.tag_field} if kind.tag_field else set()
    for key in value.keys() - fields.keys() - tags:
        _unknown_key(key, [*tags, *fields], name, path, notes)
    for key, field in fields.items():
        if key in value:
            _walk(value[key], field.type, child(path, key), notes)
        elif field.required:
            notes.error(path, "missing_key", f"{name} needs the key '{key}'", f"Add '{key}'.")


def _unknown_key(key: str, known: list[str], name: str, path: str, notes: Notes) -> None:
    near = _nearest(key, known)
    fix = _KEY_FIXES.get(key) or (f"Did you mean '{near}'?" if near else f"Remove it: {name} has {', '.join(known)}.")
    notes.error(child(path, key), "unknown_key", f"'{printable(key)}' is not a key of {name}", fix)


def _wrong(value: Any, wanted: str, path: str, notes: Notes) -> None:
    found = kind_of(value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        found += f" ('{printable(value, 30)}')" if isinstance(value, str) else f" ({printable(value, 30)})"
    key = path.rpartition(".")[2]
    fix = "Write the text as a string." if key == "content" else f"Make it {wanted}."
    if key == "arguments" and isinstance(value, dict):
        fix = "Write the object as a string of JSON (json.dumps in Python)."
    notes.error(path, "wrong_type", f"this is {found}, but must be {wanted}", fix)


def _is(value: Any, kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.StrType):
        return isinstance(value, str)
    if isinstance(kind, inspect.BoolType):
        return isinstance(value, bool)
    if isinstance(kind, inspect.NoneType):
        return value is None
    if isinstance(kind, inspect.ListType):
        return isinstance(value, list)
    if isinstance(kind, inspect.DictType):
        return isinstance(value, dict)
    return False


def _wanted(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.StructType):
        return f"{_NAMES[kind.cls]}, an object"
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(repr(known) for known in kind.values)
    names: dict[type, str] = {
        inspect.StrType: "a string",
        inspect.BoolType: "true or false",
        inspect.NoneType: "null",
        inspect.ListType: "a list",
        inspect.DictType: "an object",
    }
    return names[type(kind)]


def _nearest(word: str, known: list[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word.lower()[:60], known, n=1, cutoff=0.6)), None)
