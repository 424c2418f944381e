"""Everything that is wrong with the form of a row, found by walking it alongside the canonical types.

The types in `example` are the only description of the format: what is required, which keys
there are and what each may hold is read from them, once, to build functions that walk a value.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

from ftbridge.dataset.canonical import example
from ftbridge.dataset.canonical.without_meaning import UNUSED
from ftbridge.dataset.findings import Diagnostics
from ftbridge.wording import json_kind, json_path, printable

Path: TypeAlias = tuple[str | int, ...]
Walk: TypeAlias = Callable[[Any, Path, Diagnostics], None]

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
    example.Task: "a task",
}
_KEY_FIXES = {
    "weight": "Only messages have a weight: remove it here.",
    "reasoning": "Keep one of 'reasoning' and 'reasoning_content'.",
    "reasoning_content": "Only assistant messages have a reasoning.",
    **dict.fromkeys(("train", "training", "loss"), "Write it as 'weight', 0 or 1, for not trained or trained."),
    "refusal": "Write it as the content, if the model shall learn to say it.",
    "audio": "Remove it: no vendor trains on it.",
    "annotations": "Remove it: no vendor trains on it.",
    "function_call": "Use tool_calls, a list of {id, type, function}, instead of the old function_call.",
    "functions": "Use tools, a list of {type, function}, instead of the old functions.",
    "tool_calls": "Only assistant messages call tools.",
    "tool_call_id": "Only tool messages answer a call.",
    "reference": "Only tasks for reinforcement have it: give it to all rows of the file, or to none.",
}
_OTHER_FORMAT = " If the rows are in another format that ftbridge reads, name it with --format."
_ROLE_FIXES = {
    "function": "Use role 'tool' with the tool_call_id of the call it answers.",
    "human": "Use 'user'.",
    "gpt": "Use 'assistant'.",
    "bot": "Use 'assistant'.",
    "model": "Use 'assistant'.",
}


def diagnose(value: Any, shape: type, diagnostics: Diagnostics) -> None:
    """Report every path at which `value`, decoded JSON, does not have the form of `shape`."""
    _walker_of(shape)(value, (), diagnostics)


@functools.cache
def _walker_of(shape: type) -> Walk:
    return _walker(inspect.type_info(shape))


def _walker(kind: inspect.Type) -> Walk:
    if isinstance(kind, inspect.UnionType):
        return _union(kind)
    if isinstance(kind, inspect.StructType):
        return _struct(kind)
    if isinstance(kind, inspect.ListType):
        return _list(_walker(kind.item_type))
    if isinstance(kind, inspect.LiteralType):
        return _literal(kind)
    return _scalar(kind)


def _scalar(kind: inspect.Type) -> Walk:
    holds, expected = _class(kind), _expected(kind)

    def walk(value: Any, path: Path, diagnostics: Diagnostics) -> None:
        if holds is not object and type(value) is not holds:
            _wrong_type(value, expected, path, diagnostics)

    return walk


def _literal(kind: inspect.LiteralType) -> Walk:
    def walk(value: Any, path: Path, diagnostics: Diagnostics) -> None:
        if type(value) is not _class(kind) or value not in kind.values:
            _wrong_type(value, _expected(kind), path, diagnostics)

    return walk


def _list(walk_item: Walk) -> Walk:
    def walk(value: Any, path: Path, diagnostics: Diagnostics) -> None:
        if not isinstance(value, list):
            _wrong_type(value, "a list", path, diagnostics)
            return
        for index, item in enumerate(value):
            walk_item(item, (*path, index), diagnostics)

    return walk


def _union(kind: inspect.UnionType) -> Walk:
    """A union's members are different kinds of JSON values, except objects, which differ by their tag."""
    structs = [member for member in kind.types if isinstance(member, inspect.StructType)]
    walkers = {_class(member): _walker(member) for member in kind.types}
    if len(structs) > 1:
        walkers[dict] = _tagged(structs)
    expected = _expected_of_union(kind, structs)

    def walk(value: Any, path: Path, diagnostics: Diagnostics) -> None:
        walk_member = walkers.get(type(value))
        if walk_member is None:
            _wrong_type(value, expected, path, diagnostics)
        else:
            walk_member(value, path, diagnostics)

    return walk


def _expected_of_union(kind: inspect.UnionType, structs: list[inspect.StructType]) -> str:
    if len(structs) > 1:
        *names, last = (_NAMES[struct.cls] for struct in structs)
        return f"an object: {', '.join(names)} or {last}"
    members = (member for member in kind.types if not isinstance(member, inspect.NoneType))
    return " or ".join(dict.fromkeys(map(_expected, members)))


def _tagged(structs: list[inspect.StructType]) -> Walk:
    field = str(structs[0].tag_field)
    members = {str(struct.tag): _struct(struct) for struct in structs}
    known = ", ".join(members)

    def walk(value: dict[str, Any], path: Path, diagnostics: Diagnostics) -> None:
        tag = value.get(field)
        if isinstance(tag, str) and tag in members:
            members[tag](value, path, diagnostics)
        elif field not in value:
            diagnostics.error(
                json_path(path), f"missing_{field}", f"the key '{field}' is missing", f"Add it; it is one of: {known}."
            )
        else:
            is_read = isinstance(tag, str) and not diagnostics.is_full("error", f"unknown_{field}")
            near = _nearest(tag, tuple(members)) if is_read else None
            fix = f"Use one of: {known}." if near is None else f"Did you mean '{near}'? Use one of: {known}."
            if field == "role" and isinstance(tag, str):
                fix = _ROLE_FIXES.get(tag.lower(), fix)
            message = f"'{printable(tag)}' is not a {field}"
            diagnostics.error(json_path((*path, field)), f"unknown_{field}", message, fix)

    return walk


def _struct(kind: inspect.StructType) -> Walk:
    shape = kind.cls
    name = _NAMES[shape]
    fields = {field.encode_name: (_walker(field.type), field.required) for field in kind.fields}
    known = (*((kind.tag_field,) if kind.tag_field else ()), *fields)

    def walk(value: Any, path: Path, diagnostics: Diagnostics) -> None:
        if not isinstance(value, dict):
            _wrong_type(value, f"{name}, an object", path, diagnostics)
            return
        if path and _is_valid(value, shape):  # the row as a whole is not: that is why it is walked
            return
        for key, item in value.items():
            if key in fields:
                fields[key][0](item, (*path, key), diagnostics)
            elif key != kind.tag_field:
                _unknown_key(key, known, name, path, diagnostics, for_grader=not path and _waits(value))
        for key, (_, required) in fields.items():
            if required and key not in value:
                fix = f"Add '{key}'." + (_OTHER_FORMAT if key == "messages" and not path else "")
                diagnostics.error(json_path(path), "missing_key", f"{name} needs the key '{key}'", fix)

    return walk


def _is_valid(value: Any, shape: type) -> bool:
    """Whether msgspec accepts `value`: it decides much faster than a walk through it."""
    try:
        msgspec.convert(value, shape)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _waits(row: dict[str, Any]) -> bool:
    """Whether a row ends with the user's message, as those for reinforcement do."""
    messages = row.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    return isinstance(last, dict) and last.get("role") == "user"


def _unknown_key(
    key: str, known: tuple[str, ...], name: str, path: Path, diagnostics: Diagnostics, *, for_grader: bool
) -> None:
    near = None if diagnostics.is_full("error", "unknown_key") else _nearest(key, known)
    remove = "Remove it" if path else f"Remove it, or read the file with --map KEY={UNUSED}"
    fix = _KEY_FIXES.get(key) or (f"Did you mean '{near}'?" if near else f"{remove}: {name} has {', '.join(known)}.")
    if "reference" in known and not near:
        fix = "Move it into 'reference', where the grader looks for it."
    elif key == "label" and known == ("text",):
        fix = "To train it as the answer: --map text=prompt --map label=completion. Without it: --map label=unused."
    elif for_grader and not near and key not in _KEY_FIXES:
        fix = "For reinforcement, where the grader reads what is beside the messages, give --format openai-rft."
    diagnostics.error(json_path((*path, key)), "unknown_key", f"'{printable(key)}' is not a key of {name}", fix)


def _wrong_type(value: Any, expected: str, path: Path, diagnostics: Diagnostics) -> None:
    actual = json_kind(value)
    if isinstance(value, str):
        actual += f" ('{printable(value, 30)}')"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        actual += f" ({printable(value, 30)})"
    fix = f"Make it {expected}."
    if isinstance(value, str) and value[:1] in ("[", "{") and path and path[-1] != "content" and expected != "a string":
        fix = f"Make it {expected}; in the cell of a table, write that as JSON (json.dumps in Python)."
    elif path and path[-1] == "content":
        fix = "Write the text as a string."
    elif path == ("reference",):
        fix = "Make it an object, {\"answer\": …}; for a file in OpenAI's own form, give the format 'openai-rft'."
    elif path[-2:-1] == ("content",) and isinstance(value, str):
        fix = 'Write it as {"type": "text", "text": …}.'
    diagnostics.error(json_path(path), "wrong_type", f"this is {actual}, but must be {expected}", fix)


def _class(kind: inspect.Type) -> type:
    """The Python class of the JSON values that `kind` takes; `object` is any."""
    if isinstance(kind, inspect.LiteralType):
        return type(kind.values[0])
    return _CLASSES[type(kind)][0]


def _expected(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.StructType):
        return f"{_NAMES[kind.cls]}, an object"
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(repr(known) for known in kind.values)
    return _CLASSES[type(kind)][1]


_CLASSES: dict[type, tuple[type, str]] = {
    inspect.StructType: (dict, "an object"),
    inspect.DictType: (dict, "an object"),
    inspect.ListType: (list, "a list"),
    inspect.StrType: (str, "a string"),
    inspect.BoolType: (bool, "true or false"),
    inspect.NoneType: (type(None), "null"),
    inspect.AnyType: (object, "anything"),
}


@functools.lru_cache(maxsize=1024)
def _nearest(word: str, known: tuple[str, ...]) -> str | None:
    return next(iter(difflib.get_close_matches(word.lower()[:60], known, n=1, cutoff=0.6)), None)
