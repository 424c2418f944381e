"""Training files for OpenAI's models, from canonical examples: chats and preferences.

Sources: the OpenAPI document of 2026-08 (openai/openai-openapi); the guides to supervised,
vision and preference fine-tuning at developers.openai.com/api/docs/guides (2026-06); the special
tokens of tiktoken 0.14; and, where these are silent, the error texts of refused jobs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from ftbridge.dataset.canonical.example import (
    SHAPE_OF,
    Assistant,
    Chat,
    Example,
    Message,
    Preference,
    Shape,
    TextPart,
    Tool,
)
from ftbridge.dataset.converter import FileLimits, PlainChats
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Method
from ftbridge_providers.shared.examples import (
    check_function_names,
    check_outputs,
    refuse_shape,
    report_changes,
    simplified,
    with_system,
    with_text,
    without_name,
    without_weight,
)
from ftbridge_providers.shared.images import ImageRules, has_image, images, parts, refuse_for_model
from ftbridge_providers.shared.trained import refuse_reasoning, refuse_trained_inputs, without_input_weight

CONTEXT_TOKENS = {"gpt-4.1": 65_536, "gpt-4o": 65_536}
"""By model family, the tokens of one example; what is beyond is truncated without an error."""

SHAPES: dict[Method, Shape] = {Method.SFT: "chat", Method.DPO: "preference", Method.RFT: "task"}
_BYTES_PER_TOKEN = 4
_SPECIAL_TOKEN = re.compile(r"<\|(?:endoftext|fim_prefix|fim_middle|fim_suffix|endofprompt)\|>")
_content = attrgetter("content")


class GptFormat:
    """Chats for supervised fine-tuning, preferences for DPO; `model` is a base model or a tuned one."""

    limits = FileLimits(fewest_examples=10, most_with_images=50_000, most_bytes=512 * 2**20)
    vendor: ClassVar[str]
    vision_models: ClassVar[tuple[str, ...]]
    image_rules: ClassVar[ImageRules]

    def __init__(self, target: str, model: str, method: Method) -> None:
        self.target = target
        self.shapes: frozenset[Shape] = frozenset({SHAPES[method]})
        self.model = self.base_of(model)
        families = (family for family in CONTEXT_TOKENS if self.model.startswith(family))
        self.context = CONTEXT_TOKENS.get(next(families, ""), math.inf)
        most_bytes = None if math.isinf(self.context) else int(self.context) // 2
        self.plain_chats = PlainChats(most_bytes, marks=(b"<|",))

    def base_of(self, model: str) -> str:
        """The base of a model that may be a tuned one."""
        return model

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        """The row of OpenAI's training file; see `Converter.convert`."""
        codes: set[str] = set()
        row: Any = example
        if SHAPE_OF[type(example)] not in self.shapes:
            refuse_shape(example, self.shapes, self.vendor, diagnostics)
        else:
            row = self.row(example, diagnostics, codes)
        if not codes:
            return example
        report_changes(codes, diagnostics)
        return row

    def row(self, example: Example, diagnostics: Diagnostics, codes: set[str]) -> Any:
        """The row of an example whose shape is trained; the codes of its changes are added to `codes`."""
        if type(example) is Chat:
            return self._chat(example, diagnostics, codes)
        if type(example) is Preference:
            return self._preference(example, diagnostics, codes)
        return example

    def _chat(self, chat: Chat, diagnostics: Diagnostics, codes: set[str]) -> Chat:
        chat, simple = simplified(chat, codes)
        if simple and not chat.tools:
            text = "".join(map(_content, chat.messages))
        else:
            chat = with_bare_tool_messages(chat, codes)
            check_function_names(chat, "$", self.vendor, diagnostics)
            refuse_reasoning(chat.messages, "$.messages", self.vendor, diagnostics)
            refuse_trained_inputs(chat.messages, "$.messages", self.vendor, diagnostics)
            chat = replace(chat, messages=[without_input_weight(message, codes) for message in chat.messages])
            self.check_images(chat.messages, diagnostics)
            text = _text(chat.messages)
        if "<" in text:  # searching for one character is ten times as fast as for two
            self.refuse_special_tokens(chat.messages, "$.messages", diagnostics)
        if len(text) > self.context // 2:
            self._check_length(text, chat, diagnostics)
        return chat

    def _preference(self, example: Preference, diagnostics: Diagnostics, codes: set[str]) -> Preference:
        chat = with_bare_tool_messages(with_system(example.input, codes), codes)
        preferred, other = example.preferred_output, example.non_preferred_output
        check_outputs(example, self.vendor, diagnostics)
        check_function_names(chat, "$.input", self.vendor, diagnostics)
        for messages, root in (
            (chat.messages, "$.input.messages"),
            (preferred, "$.preferred_output"),
            (other, "$.non_preferred_output"),
        ):
            self._refuse_images(messages, root, diagnostics)
            refuse_reasoning(messages, root, self.vendor, diagnostics)
            self.refuse_special_tokens(messages, root, diagnostics)
        self._check_length(_text(chat.messages) + max(_text(preferred), _text(other), key=len), chat, diagnostics)
        return Preference(
            replace(chat, messages=[without_weight(message, codes) for message in chat.messages]),
            [without_weight(_without_empty_parts(message, codes), codes) for message in preferred],
            [without_weight(_without_empty_parts(message, codes), codes) for message in other],
        )

    def check_images(self, messages: list[Message], diagnostics: Diagnostics) -> None:
        """Report every image that is not trained on."""
        if not has_image(messages):
            return
        diagnostics.with_images += 1
        self.image_rules.check(messages, "$.messages", diagnostics)
        if self.model not in self.vision_models:
            for path, _, _ in images(messages, "$.messages"):
                refuse_for_model(self.vendor, self.model, " or ".join(self.vision_models), path, diagnostics)

    def _check_length(self, text: str, chat: Chat, diagnostics: Diagnostics) -> None:
        tools = msgspec.json.encode(chat.tools) if chat.tools else b""
        tokens = (len(text.encode(errors="replace")) + len(tools)) // _BYTES_PER_TOKEN
        if tokens > self.context:
            diagnostics.warning(
                "$",
                "likely_truncated",
                f"about {tokens} tokens, estimated at {_BYTES_PER_TOKEN} bytes each; {self.vendor} truncates"
                f" an example for {self.model} after {self.context} tokens without an error",
                "Shorten the example, or split it.",
            )

    def _refuse_images(self, messages: list[Message], root: str, diagnostics: Diagnostics) -> None:
        for path, _, _ in images(messages, root):
            diagnostics.error(
                path,
                "image_in_preference",
                f"{self.vendor}'s DPO takes text only",
                "Remove the image, or train the preferred answer by supervised fine-tuning.",
            )

    def refuse_special_tokens(self, messages: list[Message], root: str, diagnostics: Diagnostics) -> None:
        """Report texts with tokens that structure a prompt."""
        for at, message in enumerate(messages):
            for path, text in _texts(message):
                if token := _SPECIAL_TOKEN.search(text):
                    diagnostics.error(
                        f"{root}[{at}].{path}",
                        "special_token",
                        f'{self.vendor} refuses the whole file with "message contains an invalid token: {token[0]}"',
                        "Remove the token from the text, or split it, as in '<| fim_suffix |>'.",
                    )


def with_bare_tool_messages(chat: Chat, codes: set[str]) -> Chat:
    """The chat with tool messages that have no name and, unlike the schema, only a string as content.

    A list of text parts is refused with "message 3, key "content": Input should be a valid string"
    (community.openai.com, thread 965584, 2024-10).
    """
    messages: list[Message] = []
    for message in chat.messages:
        if type(message) is Tool:
            messages.append(without_name(with_text(message, codes), codes))
        else:
            messages.append(_without_empty_parts(message, codes))
    return Chat(messages, chat.tools, chat.parallel_tool_calls)


def _without_empty_parts(message: Message, codes: set[str]) -> Message:
    """The message without an empty list of parts beside its tool calls: a list needs at least one part."""
    if type(message) is not Assistant or message.content != [] or not message.tool_calls:
        return message
    codes.add("empty_content_dropped")
    return replace(message, content=None)


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    """Every text of a message that is tokenized, with its path in the message."""
    if type(message.content) is str:
        yield "content", message.content
    for at, part in enumerate(parts(message)):
        if type(part) is TextPart:
            yield f"content[{at}].text", part.text
    if type(message) is Assistant:
        for at, call in enumerate(message.tool_calls or ()):
            yield f"tool_calls[{at}].function.arguments", call.function.arguments


def _text(messages: list[Message]) -> str:
    """What `_texts` yields, in one string, and faster."""
    texts: list[str] = []
    for message in messages:
        if type(message.content) is str:
            texts.append(message.content)
        elif message.content is not None:
            texts += [part.text for part in message.content if type(part) is TextPart]
        if type(message) is Assistant and message.tool_calls:
            texts += [call.function.arguments for call in message.tool_calls]
    return "".join(texts)
