"""As much of Go's text/template as Ollama's templates here use, written from Go's documentation of the package.

Text, `if` with `else if`, `range` over lists and maps, `with`, variables, fields, and the functions eq, lt, gt, and,
or, not, len, slice; and Ollama's json and currentDate. What a template sees is what Ollama's documentation says: system
messages joined, and neighbours of one role as one message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_ACTION = re.compile(r"(?P<before>\s*)\{\{-\s(?P<trimmed>.*?)\}\}|\{\{(?!-)\s*(?P<plain>.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|:=|=|,|\(|\)|\$?[\w.$]+')
_KEYS = {
    "Role": "role",
    "Content": "content",
    "Thinking": "thinking",
    "ToolCalls": "tool_calls",
    "ToolName": "tool_name",
    "ToolCallID": "tool_call_id",
    "ID": "id",
    "Type": "type",
    "Function": "function",
    "Name": "name",
    "Description": "description",
    "Arguments": "arguments",
    "Parameters": "parameters",
    "Properties": "properties",
    "Required": "required",
    "Enum": "enum",
    "Items": "items",
    "AnyOf": "anyOf",
}
Node = str | tuple[str, list[str], list[Any], list[Any]]


def render(
    template: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None, date: str = "2026-11-30"
) -> str:
    """What Ollama gives the model for these messages."""
    system, collated = _collate(messages)
    data = {"System": system, "Messages": collated, "Tools": tools or []}
    return "".join(_Run(data, date).all(_parse(template), data))


def _collate(messages: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    collated: list[dict[str, Any]] = []
    for message in messages:
        if collated and collated[-1]["role"] == message["role"] != "tool":
            collated[-1] = collated[-1] | {"content": collated[-1]["content"] + "\n\n" + message["content"]}
        else:
            collated.append(message)
    return "\n\n".join(message["content"] for message in messages if message["role"] == "system"), collated


def _parse(text: str) -> list[Node]:
    pieces: list[str | list[str]] = []
    end = 0
    for action in _ACTION.finditer(text):
        pieces += [text[end : action.start()], _TOKEN.findall(action["trimmed"] or action["plain"])]
        end = action.end()
    nodes, rest = _block(iter([*pieces, text[end:]]))
    assert rest == ["no end"]
    return nodes


def _block(pieces: Iterator[str | list[str]]) -> tuple[list[Node], list[str]]:
    """The nodes up to an `else` or `end`, and that action."""
    nodes: list[Node] = []
    for piece in pieces:
        if isinstance(piece, str):
            nodes.append(piece)
        elif piece[0] in ("else", "end"):
            return nodes, piece
        elif piece[0] in ("if", "range", "with"):
            nodes.append(_branch(piece, pieces))
        else:
            nodes.append(("do", piece, [], []))
    return nodes, ["no end"]


def _branch(action: list[str], pieces: Iterator[str | list[str]]) -> Node:
    body, closing = _block(pieces)
    if closing[1:]:  # else if
        return action[0], action[1:], body, [_branch(closing[1:], pieces)]
    otherwise = _block(pieces)[0] if closing == ["else"] else []
    return action[0], action[1:], body, otherwise


class _Run:
    def __init__(self, data: Mapping[str, Any], date: str) -> None:
        self.variables: dict[str, Any] = {"$": data}
        self.date = date

    def all(self, nodes: list[Node], dot: Any) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, str):
                yield node
            else:
                yield from self.one(*node, dot)

    def one(self, kind: str, tokens: list[str], body: list[Any], otherwise: list[Any], dot: Any) -> Iterator[str]:
        if kind == "range":
            names, tokens = (tokens[0], tokens[2]), tokens[4:]
            value = self.value(tokens, dot)
            pairs = sorted(value.items()) if isinstance(value, dict) else enumerate(value or [])
            for self.variables[names[0]], self.variables[names[1]] in pairs:
                yield from self.all(body, self.variables[names[1]])
        elif kind in ("if", "with"):
            value = self.value(tokens, dot)
            inner = value if kind == "with" and value else dot
            yield from self.all(body if value else otherwise, inner)
        elif tokens[1:2] in ([":="], ["="]):
            self.variables[tokens[0]] = self.value(tokens[2:], dot)
        else:
            yield str(self.value(tokens, dot))

    def value(self, tokens: list[str], dot: Any) -> Any:
        values, left = self._arguments(list(tokens), dot)
        assert not left
        return self._call(values)

    def _arguments(self, tokens: list[str], dot: Any) -> tuple[list[Any], list[str]]:
        values: list[Any] = []
        while tokens:
            token = tokens.pop(0)
            if token == ")":
                break
            if token == "(":
                inner, tokens = self._arguments(tokens, dot)
                values.append(self._call(inner))
            else:
                values.append(self._operand(token, dot))
        return values, tokens

    def _operand(self, token: str, dot: Any) -> Any:
        if token[0] == '"':
            return json.loads(token.replace("\\x22", '\\"'))
        if token.isdigit():
            return int(token)
        if token in ("true", "false"):
            return token == "true"
        if token[0] not in "$.":
            return getattr(self, f"go_{token}")
        start, *fields = token.split(".")
        value = self.variables[start] if start else dot
        for field in filter(None, fields):
            value = (value or {}).get(field, (value or {}).get(_KEYS.get(field), ""))
        return value

    def _call(self, values: list[Any]) -> Any:
        first, *rest = values
        return first(*rest) if callable(first) else first

    def go_json(self, value: Any) -> str:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

    def go_eq(self, first: Any, *others: Any) -> bool:
        return first in others

    def go_lt(self, first: int, second: int) -> bool:
        return first < second

    def go_gt(self, first: int, second: int) -> bool:
        return first > second

    def go_and(self, *values: Any) -> Any:
        return next((value for value in values if not value), values[-1])

    def go_or(self, *values: Any) -> Any:
        return next((value for value in values if value), values[-1])

    def go_not(self, value: Any) -> bool:
        return not value

    def go_len(self, value: Any) -> int:
        return len(value)

    def go_slice(self, value: Any, *ends: int) -> Any:
        return value[slice(*ends)] if len(ends) > 1 else value[ends[0] :]

    def go_currentDate(self) -> str:  # noqa: N802 - Ollama's name
        return self.date
