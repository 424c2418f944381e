"""Chats that a chat template is asked to render, to learn from the text how it renders any chat.

Every content in them is a mark that no template holds, so that what stands between two contents is the template's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "start", "user", "thinking", "assistant", "name", "arguments", "id", "tool", "tool_id", "tool_name", "end"
]

MARK = "\u2402"  # a symbol for control characters that no template has
SYSTEM = f"{MARK}system\u2403"
_SHAPES = (
    "u",
    "uau",
    "uauau",
    "uauauau",
    "uct",
    "uCt",
    "uctCt",
    "uctct",
    "udtt",
    "uctau",
    "uCtau",
    "udttau",
    "uauct",
    "uauCt",
    "uauctau",
)
"""Each letter is a message: of the user, an answer, a call without and with content, two calls, or a call's result."""


class Atom(NamedTuple):
    """A text of a message that the template repeats: what it is, and how it is written; most are required."""

    kind: Kind
    texts: tuple[str, ...]
    required: bool = True


class Probe(NamedTuple):
    """A chat, and the texts that its rendering holds."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None
    atoms: list[list[Atom]]

    @property
    def several_calls(self) -> bool:
        """Whether one message makes several calls, which some templates refuse."""
        return any(len(message.get("tool_calls", [])) > 1 for message in self.messages)

    @property
    def last_user(self) -> int:
        """The index, without the system message, of the user's last message."""
        roles = [message["role"] for message in self.messages if message["role"] != "system"]
        return len(roles) - 1 - roles[::-1].index("user")


def tool(name: str, description: str) -> dict[str, Any]:
    """A tool with its keys, and the names of its parameters, in the order in which Ollama's templates see them."""
    properties = {
        "city": {"type": "string", "description": "Where."},
        "days": {"type": "integer"},
        "unit": {"type": "string", "description": "Of what.", "enum": ["C", "F"]},
    }
    parameters = {"type": "object", "properties": properties, "required": ["city", "days"]}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TOOLS = [tool("weather", "Tells the weather."), tool("tides", "Tells the tides.")]


def probes(*, system: bool, tools: bool, thinking: bool) -> Iterator[Probe]:
    """Chats of one to four turns that end where an answer is next; calls are in them only with `tools`."""
    for shape in _SHAPES:
        if tools or set(shape) <= set("ua"):
            yield _probe(shape, system=system, tools=tools, thinking=thinking)


def _probe(shape: str, *, system: bool, tools: bool, thinking: bool) -> Probe:
    messages: list[dict[str, Any]] = [{"role": "system", "content": SYSTEM}] if system else []
    atoms: list[list[Atom]] = []
    pending: list[str] = []
    for number, letter in enumerate(shape):
        mark = f"{MARK}Aa{number}\u2403"
        if letter == "u":
            messages.append({"role": "user", "content": mark})
            atoms.append([Atom("user", (mark,))])
        elif letter == "t":
            known = pending.pop(0)
            content = f'{MARK}{number}"\u2403'  # the quotation mark shows whether it is written as JSON
            name = f"{MARK}tool {number}\u2403"
            messages.append({"role": "tool", "content": content, "tool_call_id": known, "name": name})
            written = (json.dumps(content, ensure_ascii=False), content)
            named = [Atom("tool_id", (known,), required=False), Atom("tool_name", (name,), required=False)]
            atoms.append([Atom("tool", written), *named])
        else:
            message: dict[str, Any] = {"role": "assistant", "content": "" if letter in "cd" else mark}
            found = [] if letter in "cd" else [Atom("assistant", (mark,), required=letter == "a")]
            if thinking:
                message["reasoning_content"] = f"{MARK}thought {number}\u2403"
                found.insert(0, Atom("thinking", (message["reasoning_content"],), required=False))
            calls = [_call(number, index) for index in range({"a": 0, "d": 2}.get(letter, 1))]
            if calls:
                message["tool_calls"] = calls
            pending.extend(call["id"] for call in calls)
            messages.append(message)
            atoms.append([*found, *(atom for call in calls for atom in _atoms(call))])
    return Probe(messages, TOOLS if tools else None, atoms)


def _call(number: int, index: int) -> dict[str, Any]:
    arguments = {"city": f"{MARK}{number}.{index}\u2403", "days": 2}
    function = {"name": f"{MARK}name{number}.{index}\u2403", "arguments": arguments}
    return {
        "id": f"callX{number:02}{index:02}",
        "type": "function",
        "function": function,
    }  # Mistral's have nine characters


def _atoms(call: dict[str, Any]) -> list[Atom]:
    arguments = call["function"]["arguments"]
    written = tuple(json.dumps(arguments, ensure_ascii=False, separators=form) for form in ((", ", ": "), (",", ":")))
    name, number = Atom("name", (call["function"]["name"],)), Atom("id", (call["id"],), required=False)
    return [name, Atom("arguments", written), number]
