"""The canonical examples: a chat, a preference, a text or a task, as msgspec reads them.

Roles are tags of a union and unknown keys are forbidden, so that decoding is most of the
checking. Meaning is checked in `rules`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct


class Row(Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """What every piece of an example has in common."""


class TextPart(Row, tag_field="type", tag="text"):
    text: str


class ImageUrl(Row):
    url: str
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Row, tag_field="type", tag="image_url"):
    image_url: ImageUrl


Part: TypeAlias = TextPart | ImagePart
Content: TypeAlias = str | list[Part]


class FunctionCall(Row):
    """`arguments` is JSON as a string, as the vendors send and take it."""

    name: str
    arguments: str


class ToolCall(Row):
    id: str
    type: Literal["function"]
    function: FunctionCall


class Function(Row):
    """`parameters` is a JSON Schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolDefinition(Row):
    type: Literal["function"]
    function: Function


class System(Row, tag_field="role", tag="system"):
    """As all messages but the assistant's it is not trained, except where `weight` is 1."""

    content: Content
    name: str | None = None
    weight: Literal[0, 1] | None = None


class Developer(Row, tag_field="role", tag="developer"):
    content: Content
    name: str | None = None
    weight: Literal[0, 1] | None = None


class User(Row, tag_field="role", tag="user"):
    content: Content
    name: str | None = None
    weight: Literal[0, 1] | None = None


class Assistant(Row, tag_field="role", tag="assistant"):
    """The turns that are trained, except where `weight` is 0. `reasoning_content` is what was thought before them."""

    content: Content | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    reasoning_content: str | None = None
    weight: Literal[0, 1] | None = None


class Tool(Row, tag_field="role", tag="tool"):
    content: Content
    tool_call_id: str
    name: str | None = None
    weight: Literal[0, 1] | None = None


Message: TypeAlias = System | Developer | User | Assistant | Tool


class Chat(Row):
    messages: list[Message]
    tools: list[ToolDefinition] | None = None
    parallel_tool_calls: bool | None = None


class Task(Chat, kw_only=True):
    """A chat that waits for its answer; `reference` is what the grader of the answers knows about the right one."""

    reference: dict[str, Any]


class Preference(Row):
    """One prompt with a better and a worse answer."""

    input: Chat
    preferred_output: list[Message]
    non_preferred_output: list[Message]


class Text(Row):
    text: str


Example: TypeAlias = Chat | Preference | Text | Task
Shape: TypeAlias = Literal["chat", "preference", "text", "task"]
SHAPES: dict[Shape, type[Example]] = {"chat": Chat, "preference": Preference, "text": Text, "task": Task}
SHAPE_OF: dict[type[Example], Shape] = {kind: shape for shape, kind in SHAPES.items()}
