"""Together AI's training files, from canonical examples.

Sources: docs.together.ai/docs/fine-tuning/{data-preparation,function-calling,vision} (2026-06), and
the checks of together 1.5.34 (together/utils/files.py), which later releases moved to the server;
and, for the size of a file, together 3.1 (together/lib/constants.py).
"""

from __future__ import annotations

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
    Preference,
    Shape,
    System,
    TextPart,
    Tool,
    ToolDefinition,
    User,
)
from ftbridge.dataset.converter import FileLimits
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Method
from ftbridge_providers.shared.examples import (
    check_outputs,
    refuse_shape,
    report_changes,
    simplified,
    with_system,
    with_text,
    without_name,
    without_weight,
)
from ftbridge_providers.shared.images import ImageRules, has_image, parts
from ftbridge_providers.together.reasoning import (
    check_answers,
    expect_reasoning,
    is_reasoning_model,
    warn_of_reasoning,
)

_IMAGES = ImageRules("Together", linked=False)
_OPENING_ROLES: frozenset[type[Message]] = frozenset({System, Developer, User})


class TogetherFormat:
    """Chats and texts for supervised fine-tuning, preferences for DPO; `model` is "" where it is not known.

    Any message may have a weight, and answers a reasoning.
    """

    limits = FileLimits(most_bytes=int(50.1 * 2**30))

    def __init__(self, target: str, method: Method, model: str = "") -> None:
        self.target = target
        self.model = model
        self._reasons = is_reasoning_model(model)
        self.shapes: frozenset[Shape] = frozenset({"preference"} if method is Method.DPO else {"chat", "text"})

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        """The row of Together's training file; see `Converter.convert`."""
        codes: set[str] = set()
        row: Example = example
        if SHAPE_OF[type(example)] not in self.shapes:
            refuse_shape(example, self.shapes, "Together", diagnostics)
        elif type(example) is Chat:
            row = self._chat(example, diagnostics, codes)
        elif type(example) is Preference:
            row = self._preference(example, diagnostics, codes)
        if not codes:
            return example
        report_changes(codes, diagnostics)
        return row

    def _chat(self, chat: Chat, diagnostics: Diagnostics, codes: set[str]) -> Chat:
        _check_order(chat.messages, "$.messages", _OPENING_ROLES, diagnostics)
        if self._reasons:
            check_answers(chat.messages, self.model, diagnostics)
        chat, simple = simplified(chat, codes)
        if simple and chat.tools is None and chat.parallel_tool_calls is None:
            return chat
        if self.model and not self._reasons:
            warn_of_reasoning(chat.messages, "$.messages", self.model, diagnostics)
        vision = has_image(chat.messages)
        if vision:
            _IMAGES.check(chat.messages, "$.messages", diagnostics)
        return _converted(chat, vision, codes)

    def _preference(self, example: Preference, diagnostics: Diagnostics, codes: set[str]) -> Preference:
        """A preference may start with the assistant, as the one in Together's guide does."""
        messages, preferred, other = example.input.messages, example.preferred_output, example.non_preferred_output
        _check_order(messages, "$.input.messages", _OPENING_ROLES | {Assistant}, diagnostics)
        if messages and type(messages[-1]) is Assistant:
            diagnostics.error(
                f"$.input.messages[{len(messages) - 1}].role",
                "input_ends_with_assistant",
                "Together takes no preference whose input ends with the assistant",
                "Move the last answer into the outputs, or remove it.",
            )
        check_outputs(example, "Together", diagnostics)
        if self._reasons:
            expect_reasoning(preferred, "$.preferred_output", self.model, diagnostics)
        elif self.model:
            warn_of_reasoning(preferred, "$.preferred_output", self.model, diagnostics)
        _IMAGES.check(messages, "$.input.messages", diagnostics)
        _IMAGES.check(preferred, "$.preferred_output", diagnostics)
        _IMAGES.check(other, "$.non_preferred_output", diagnostics)
        vision = has_image(messages)
        chat = _converted(with_system(example.input, codes), vision, codes)
        return Preference(
            replace(chat, messages=[without_weight(message, codes) for message in chat.messages]),
            [without_weight(_message(message, vision, codes), codes) for message in preferred],
            [without_weight(_message(message, vision, codes), codes) for message in other],
        )


def _check_order(
    messages: list[Message], root: str, opening: frozenset[type[Message]], diagnostics: Diagnostics
) -> None:
    """Report messages in the wrong order. Only tool messages, the results of parallel calls, may follow each other."""
    previous: type[Message] | None = None
    for index, message in enumerate(messages):
        role = type(message)
        if previous is None:
            if role not in opening:
                diagnostics.error(
                    f"{root}[{index}].role",
                    "opening_role",
                    "Together requires a conversation to start with the system or the user",
                    "Add the user message before it, or remove this message.",
                )
        elif role is System or role is Developer:
            diagnostics.error(
                f"{root}[{index}].role",
                "system_not_first",
                "Together takes one system message, and only as the first",
                "Merge it into the first system message, or into a user message.",
            )
        elif role is previous and role is not Tool:
            diagnostics.error(
                f"{root}[{index}].role",
                "roles_do_not_alternate",
                "Together requires user and assistant to alternate",
                "Merge the two messages.",
            )
        previous = role


def _converted(chat: Chat, vision: bool, codes: set[str]) -> Chat:
    if chat.parallel_tool_calls is not None:
        codes.add("parallel_tool_calls_dropped")
    tools = chat.tools and [_tool(tool, codes) for tool in chat.tools]
    return Chat([_message(message, vision, codes) for message in chat.messages], tools)


def _tool(tool: ToolDefinition, codes: set[str]) -> ToolDefinition:
    if tool.function.strict is None:
        return tool
    codes.add("strict_dropped")
    return replace(tool, function=replace(tool.function, strict=None))


def _message(message: Message, vision: bool, codes: set[str]) -> Message:
    """The message with a string as content, or, in an example with images, with a list of parts."""
    if message.name is not None:
        message = without_name(message, codes)
    if type(message.content) is list:
        return _without_detail(message, codes) if vision else with_text(message, codes)
    if vision and type(message.content) is str:
        codes.add("text_as_part")
        return replace(message, content=[TextPart(message.content)])
    return message


def _without_detail(message: Message, codes: set[str]) -> Message:
    if not any(type(part) is ImagePart and part.image_url.detail for part in parts(message)):
        return message
    codes.add("image_detail_dropped")
    content = [
        ImagePart(replace(part.image_url, detail=None)) if type(part) is ImagePart else part for part in parts(message)
    ]
    return replace(message, content=content)
