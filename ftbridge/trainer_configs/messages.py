"""Messages as trainers take them: plain objects, as transformers gives them to a chat template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ftbridge.dataset.canonical.example import (
    Assistant,
    Chat,
    Developer,
    ImagePart,
    Message,
    Preference,
    Tool,
    ToolDefinition,
)
from ftbridge.dataset.canonical.texts import content_texts
from ftbridge.dataset.findings import Diagnostics

Plain = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def plain_messages(
    messages: Sequence[Message], root: str, diagnostics: Diagnostics, *, trains_input: bool = False
) -> list[Plain]:
    """Each with a role and a content of one text; with its calls, call ID and reasoning where it has them.

    Reports images, and weights of 1 on what is no answer unless the trainer `trains_input`.
    """
    return [
        _plain(message, f"{root}[{index}]", diagnostics, trains_input=trains_input)
        for index, message in enumerate(messages)
    ]


def report_chat(chat: Chat, diagnostics: Diagnostics) -> None:
    """Report what no trainer reads beside the messages and the tools."""
    if chat.parallel_tool_calls is not None:
        diagnostics.changed("parallel_tool_calls_left_out")


def trained_answers(messages: Sequence[Message]) -> list[int]:
    """The indices of the answers that are to be learned."""
    return [index for index, one in enumerate(messages) if type(one) is Assistant and one.weight != 0]


def single_outputs(example: Preference, trainer: str, diagnostics: Diagnostics) -> tuple[Plain, Plain]:
    """The preferred and the other answer. Reports outputs that are not one answer, or that have weight 0."""
    found: list[Plain] = []
    for key in ("preferred_output", "non_preferred_output"):
        output: list[Message] = getattr(example, key)
        if len(output) != 1 or type(output[0]) is not Assistant:
            message = f"{trainer} is given one answer as {key}, and would train all messages of several"
            fix = "Keep the message that answers the input, and move those before it into the input."
            diagnostics.error(f"$.{key}", "output_not_one_assistant", message, fix)
        elif output[0].weight == 0:
            message = f"{trainer} compares both outputs, and cannot leave one out"
            diagnostics.error(f"$.{key}[0].weight", "output_weight_zero", message, "Remove the weight, or the row.")
        elif output[0].weight == 1:
            diagnostics.changed("weight_dropped")
        found.append(plain_messages(output[:1], f"$.{key}", diagnostics)[0])
    return found[0], found[1]


def plain_tools(tools: Sequence[ToolDefinition] | None) -> list[Plain]:
    """The tools as objects."""
    return msgspec.to_builtins(tools) if tools else []


def refuse_tools(chat: Chat, root: str, trainer: str, diagnostics: Diagnostics) -> None:
    """Report tools and calls, which the trainer's command would leave out of what the model reads."""
    calls = (index for index, one in enumerate(chat.messages) if type(one) is Tool or getattr(one, "tool_calls", None))
    first = next(calls, None)
    if chat.tools or first is not None:
        path = f"{root}.tools" if chat.tools else f"{root}.messages[{first}]"
        fix = "Remove the row, or export for trl, which gives them to the model's own template."
        diagnostics.error(path, "tools_not_taken", f"{trainer} leaves tools and their calls out of the rows", fix)


def refuse_reasoning(messages: Iterable[Message], root: str, trainer: str, diagnostics: Diagnostics) -> None:
    """Report reasoning, which the trainer would leave out."""
    for index, one in enumerate(messages):
        if type(one) is Assistant and one.reasoning_content is not None:
            message = f"{trainer} leaves the reasoning of an answer out"
            fix = "Remove it to train the answer alone, or export for trl or axolotl."
            diagnostics.error(f"{root}[{index}].reasoning_content", "reasoning_not_trained", message, fix)


def as_lines(rows: Iterable[Plain]) -> msgspec.Raw:
    """Several rows in place of one, as the lines of a file without the last line end."""
    return msgspec.Raw(b"\n".join(map(_encode, rows)))


def _plain(message: Message, path: str, diagnostics: Diagnostics, *, trains_input: bool) -> Plain:
    fields: Plain = msgspec.to_builtins(message)
    weight = fields.pop("weight", None)
    if type(message) is not Assistant and weight is not None:
        if weight == 1 and not trains_input:
            what = "the trainer learns answers alone, and this message has weight 1"
            diagnostics.error(f"{path}.weight", "input_not_trained", what, "Remove its weight, or export for axolotl.")
        elif weight == 0:
            diagnostics.changed("input_weight_dropped")
    if message.name is not None and type(message) is not Tool:
        del fields["name"]
        diagnostics.changed("names_left_out")
    if type(message) is Developer:
        fields["role"] = "system"
        diagnostics.changed("developer_role_renamed")
    if isinstance(message.content, list) and any(type(part) is ImagePart for part in message.content):
        what = "the rows are written for trainers of text, and this message has an image"
        fix = "Leave the example out, or describe the image in words."
        diagnostics.error(f"{path}.content", "image_not_trained", what, fix)
    return {**fields, "content": "".join(content_texts(message.content))}
