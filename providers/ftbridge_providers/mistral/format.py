"""Mistral's training files, from canonical examples.

Sources: docs.mistral.ai, "Text & Vision Fine-tuning" (deprecated; read 2026-08); Mistral's own
implementation, mistral-finetune (finetune/data/tokenize.py, 2024-08) and the V3 validator
of mistral-common 1.13.1 in its fine-tuning mode. The hosted service had its own copy of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from ftbridge.dataset.canonical.example import (
    SHAPE_OF,
    Assistant,
    Chat,
    Developer,
    Example,
    ImagePart,
    Message,
    Shape,
    System,
    Tool,
    ToolDefinition,
    User,
)
from ftbridge.dataset.converter import FileLimits
from ftbridge.dataset.findings import Diagnostics
from ftbridge_providers.mistral.tool_ids import rewritten_ids
from ftbridge_providers.shared.examples import (
    check_function_names,
    joined,
    refuse_shape,
    report_changes,
    simplified,
    with_text,
    without_name,
    without_weight,
)
from ftbridge_providers.shared.images import (
    has_image,
    images,
    parts,
    refuse_address,
    refuse_for_model,
    refuse_outside_user,
)
from ftbridge_providers.shared.trained import refuse_reasoning, refuse_trained_inputs, without_input_weight

TEXT_MODELS = frozenset(
    {
        "open-mistral-7b",
        "open-mistral-nemo",
        "codestral-latest",
        "ministral-3b-latest",
        "ministral-8b-latest",
        "mistral-small-latest",
        "mistral-large-latest",
    }
)
"""Documented as "Text Only" for fine-tuning."""
VISION_MODEL = "pixtral-12b-latest"

_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


class MistralFormat:
    """Chats and texts for supervised fine-tuning. There was no DPO, and no documented minimum of examples."""

    limits = FileLimits(most_bytes=512 * 2**20)
    shapes: frozenset[Shape] = frozenset({"chat", "text"})

    def __init__(self, target: str, model: str) -> None:
        self.target = target
        self.model = model

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        """The row of Mistral's training file; see `Converter.convert`."""
        codes: set[str] = set()
        row: Example = example
        if SHAPE_OF[type(example)] not in self.shapes:
            refuse_shape(example, self.shapes, "Mistral", diagnostics)
        elif type(example) is Chat:
            row = self._chat(example, diagnostics, codes)
        if not codes:
            return example
        report_changes(codes, diagnostics)
        return row

    def _chat(self, chat: Chat, diagnostics: Diagnostics, codes: set[str]) -> Chat:
        _check_turns(chat.messages, diagnostics)
        chat, simple = simplified(chat, codes)
        if simple and chat.tools is None and chat.parallel_tool_calls is None:
            return chat
        if has_image(chat.messages):
            self._check_images(chat.messages, diagnostics)
        refuse_reasoning(chat.messages, "$.messages", "Mistral", diagnostics)
        refuse_trained_inputs(chat.messages, "$.messages", "Mistral", diagnostics)
        _check_tools(chat, diagnostics)
        return _converted(chat, codes)

    def _check_images(self, messages: list[Message], diagnostics: Diagnostics) -> None:
        for path, message, url in images(messages, "$.messages"):
            if type(message) is not User:
                refuse_outside_user("Mistral", path, diagnostics)
            if not url.startswith(("data:image/", "https://", "http://")):
                refuse_address("Mistral", "a web address or a data URL", path, diagnostics)
            if self.model in TEXT_MODELS:
                refuse_for_model("Mistral", self.model, VISION_MODEL, path, diagnostics)


def chat_as_trained(chat: Chat) -> Chat:
    """The chat as it is sent to a model: changed like the training rows, so that the model recognizes it."""
    codes: set[str] = set()
    chat = _converted(simplified(chat, codes)[0], codes)
    return replace(chat, messages=[without_weight(message, codes) for message in chat.messages])


def _check_turns(messages: list[Message], diagnostics: Diagnostics) -> None:
    """Report more than one system message, answers with both text and calls, and an end without an answer."""
    systems = 0
    for index, message in enumerate(messages):
        if type(message) is Assistant:
            if bool(joined(message.content)) == bool(message.tool_calls):
                _refuse_answer(message, f"$.messages[{index}].content", diagnostics)
        elif type(message) is System or type(message) is Developer:
            systems += 1
            if systems == 2:
                diagnostics.error(
                    f"$.messages[{index}].role",
                    "second_system",
                    "Mistral takes only one system message in an example",
                    "Merge the system and developer messages into one.",
                )
    if not messages or type(messages[-1]) is not Assistant:
        diagnostics.error(
            f"$.messages[{len(messages) - 1}].role" if messages else "$.messages",
            "last_not_assistant",
            "Mistral trains on examples that end with the assistant",
            "Remove the messages after the last answer, or add the missing answer.",
        )


def _refuse_answer(message: Assistant, path: str, diagnostics: Diagnostics) -> None:
    """Report an answer with both text and calls, or neither.

    The two are not split into two messages: that would teach the model to stop after the text.
    """
    if message.tool_calls:
        diagnostics.error(
            path,
            "content_and_tool_calls",
            "a Mistral assistant message has either content or tool_calls, not both",
            "Remove the text or the calls.",
        )
    else:
        diagnostics.error(
            path,
            "empty_assistant",
            "a Mistral assistant message needs content or tool_calls",
            "Write the answer, or remove the example.",
        )


def _check_tools(chat: Chat, diagnostics: Diagnostics) -> None:
    check_function_names(chat, "$", "Mistral", diagnostics)
    defined = {tool.function.name for tool in chat.tools or ()}
    trained = 0
    for index, message in enumerate(chat.messages):
        if type(message) is Assistant:
            trained += message.weight != 0
            for call_index, call in enumerate(message.tool_calls or ()):
                if call.function.name not in defined:
                    diagnostics.error(
                        f"$.messages[{index}].tool_calls[{call_index}].function.name",
                        "tool_not_defined",
                        "Mistral requires a definition of every tool that the conversation uses",
                        "Add the function to the tools of the example.",
                    )
    if not chat.tools:
        return
    last = chat.messages[-1]
    if type(last) is Assistant and last.weight == 0:
        diagnostics.error(
            f"$.messages[{len(chat.messages) - 1}].weight",
            "nothing_trained",
            "mistral-finetune trains only the last assistant message of an example with tools, and this has weight 0",
            "End the example with an answer to be learnt.",
        )
    elif trained > 1:
        diagnostics.warning(
            "$.tools",
            "only_last_answer_trained",
            "mistral-finetune trains only the last assistant message of an example with tools",
            "Split the conversation into one example for each answer to be learnt.",
        )


def _converted(chat: Chat, codes: set[str]) -> Chat:
    if chat.parallel_tool_calls is not None:
        codes.add("parallel_tool_calls_dropped")
    ids = rewritten_ids(_tool_ids(chat.messages))
    if ids:
        codes.add("tool_ids_rewritten")
    return Chat(
        [_message(message, ids, codes) for message in chat.messages],
        chat.tools and [_tool(tool, codes) for tool in chat.tools],
    )


def _tool_ids(messages: list[Message]) -> Iterator[str]:
    for message in messages:
        if type(message) is Tool:
            yield message.tool_call_id
        elif type(message) is Assistant:
            for call in message.tool_calls or ():
                yield call.id


def _message(message: Message, ids: dict[str, str], codes: set[str]) -> Message:
    """The converted message; only tool messages keep their name, which is the function's."""
    message = without_input_weight(message, codes)
    if type(message) is Tool:
        if message.tool_call_id in ids:
            message = replace(message, tool_call_id=ids[message.tool_call_id])
        return with_text(message, codes)
    if message.name is not None:
        message = without_name(message, codes)
    if type(message) is Assistant and message.tool_calls:
        if message.content is not None:
            codes.add("empty_content_dropped")
        calls = [replace(call, id=ids.get(call.id, call.id)) for call in message.tool_calls]
        return Assistant(None, message.name, calls, weight=message.weight)
    if type(message.content) is not list:
        return message
    return _with_image_addresses(with_text(message, codes), codes)


def _with_image_addresses(message: Message, codes: set[str]) -> Message:
    """The message with images given by their URL, without the object around it."""
    if not any(type(part) is ImagePart for part in parts(message)):
        return message
    codes.add("image_url_as_string")
    content: list[Any] = []
    for part in parts(message):
        if type(part) is ImagePart:
            if part.image_url.detail is not None:
                codes.add("image_detail_dropped")
            content.append({"type": "image_url", "image_url": part.image_url.url})
        else:
            content.append(part)
    return replace(message, content=content)


def _tool(tool: ToolDefinition, codes: set[str]) -> ToolDefinition:
    """The tool with a description and parameters, if need be empty ones."""
    function = tool.function
    if function.description is not None and function.parameters is not None:
        return tool
    if function.description is None:
        codes.add("description_filled")
    if function.parameters is None:
        codes.add("parameters_filled")
    complete = replace(
        function,
        description=function.description or "",
        parameters=_NO_PARAMETERS if function.parameters is None else function.parameters,
    )
    return replace(tool, function=complete)
