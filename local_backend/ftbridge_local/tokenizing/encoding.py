"""Examples as rows of token ids, with exact knowledge of which tokens are trained.

A chat is rendered by the model's own template and tokenized as a whole. Where an answer begins and ends is found by
rendering the messages before it and up to it, and comparing: the whole rendering must start with the same characters.
If it does not, the template rewrites earlier turns and the answer's position is not certain: the example is refused,
never guessed at. A token is trained when all its characters belong to an answer, as do those of the token that ends
the turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import msgspec

from ftbridge.dataset.canonical.example import Assistant, Chat, Example, ImagePart, Message, Preference, Text, Tool
from ftbridge_local.tokenizing.template import TemplateError
from ftbridge_local.tokenizing.tokenizer import Span, Tokenizer


class Row(NamedTuple):
    """One tokenized example: `trained[i]` says whether the model learns to predict token `ids[i]`."""

    ids: list[int]
    trained: list[bool]

    def truncate(self, length: int) -> Row:
        """The first `length` tokens."""
        return Row(self.ids[:length], self.trained[:length])

    @property
    def trainable(self) -> bool:
        """Whether there is a token to train on."""
        return any(self.trained)

    @property
    def rows(self) -> tuple[Row, ...]:
        """What the model reads for it."""
        return (self,)

    @property
    def tokens(self) -> int:
        """How many tokens the model reads for it."""
        return len(self.ids)

    @property
    def weight(self) -> int:
        """How much it counts in the loss of its batch: a row counts by its trained tokens."""
        return sum(self.trained)


class Pair(NamedTuple):
    """A preference: the same prompt with the chosen answer and with the rejected one.

    `reference` is by how many nats the untrained model considers the chosen one more probable.
    """

    chosen: Row
    rejected: Row
    reference: float = 0.0

    def truncate(self, length: int) -> Pair:
        """The first `length` tokens of both."""
        return Pair(self.chosen.truncate(length), self.rejected.truncate(length))

    @property
    def trainable(self) -> bool:
        """Whether there is something to compare."""
        return self.chosen.trainable and self.rejected.trainable

    @property
    def rows(self) -> tuple[Row, ...]:
        """What the model reads for it."""
        return self.chosen, self.rejected

    @property
    def tokens(self) -> int:
        """How many tokens the model reads for it."""
        return self.chosen.tokens + self.rejected.tokens

    @property
    def weight(self) -> int:
        """How much it counts in the loss of its batch: each pair as much as any other."""
        return 1


Item = Row | Pair


class UntrainableError(Exception):
    """An example that this model cannot be trained on: where, a stable code, why, and what to do."""

    def __init__(self, path: str, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.path, self.code, self.message, self.fix = path, code, message, fix


def tokenize(example: Example, tokenizer: Tokenizer) -> Item:
    """The whole example, however long. Raises `UntrainableError`."""
    if isinstance(example, Preference):
        chosen = _output(example, "preferred_output", tokenizer)
        return Pair(chosen, _output(example, "non_preferred_output", tokenizer))
    return encode(example, tokenizer)


def encode(example: Chat | Text, tokenizer: Tokenizer) -> Row:
    """A chat or a text as a row. Raises `UntrainableError`."""
    if isinstance(example, Chat):
        return _chat(example, tokenizer)
    ids = [*tokenizer.bos_ids, *tokenizer.encode(example.text)[0], tokenizer.eos_id]
    return Row(ids, [False, *[True] * (len(ids) - 1)])


def _output(
    example: Preference, which: Literal["preferred_output", "non_preferred_output"], tokenizer: Tokenizer
) -> Row:
    prompt, output = example.input, getattr(example, which)
    first = len(prompt.messages)
    try:
        return _chat(Chat(messages=[*prompt.messages, *output], tools=prompt.tools), tokenizer, first)
    except UntrainableError as problem:
        if match := re.match(r"\$\.messages\[(\d+)]", problem.path):
            index = int(match[1])
            path = f"$.{which}[{index - first}]" if index >= first else f"$.input.messages[{index}]"
            problem.path = path + problem.path[match.end() :]
        raise


def _chat(example: Chat, tokenizer: Tokenizer, first: int = 0) -> Row:
    """The chat as a row, of which the answers from message `first` on are trained."""
    messages, tools = plain(example)
    try:
        whole = tokenizer.render(messages, tools)
        _check_complete(messages, tools, whole)
        spans = [
            _answer_span(messages, tools, index, whole, tokenizer)
            for index, message in enumerate(example.messages)
            if index >= first and isinstance(message, Assistant) and message.weight != 0
        ]
    except TemplateError as refusal:
        raise UntrainableError(
            "$.messages",
            "template_refuses",
            f"the model's chat template does not accept this chat: {refusal}",
            "Change the roles or their order to what the template supports, or use another model.",
        ) from None
    ids, offsets = tokenizer.encode(whole)
    trained = [False] * len(ids)
    for start, end in spans:
        trained = [known or (start <= a and b <= end) for known, (a, b) in zip(trained, offsets, strict=True)]
    trained[0] = False  # there is nothing before the first token to predict it from
    return Row(ids, trained)


def prompt_ids(chat: Chat, tokenizer: Tokenizer) -> list[int]:
    """The token ids after which the model's answer to `chat` begins. Raises `UntrainableError`."""
    messages, tools = plain(chat)
    try:
        return tokenizer.encode(tokenizer.render(messages, tools, answer_next=True))[0]
    except TemplateError as refusal:
        message = f"the model's chat template does not accept this chat: {refusal}"
        raise UntrainableError("$.messages", "template_refuses", message, "") from None


def plain(chat: Chat) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None]:
    """Messages and tools as templates expect them: contents as one string, arguments of calls as objects.

    Names of people are left out: hardly any template renders them, and none declares whether it does.
    """
    messages = [_plain(index, message) for index, message in enumerate(chat.messages)]
    return messages, msgspec.to_builtins(chat.tools) if chat.tools else None


def _plain(index: int, message: Message) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(message)
    fields.pop("weight", None)
    if not isinstance(message, Tool):
        fields.pop("name", None)
    if isinstance(message.content, list):
        if any(isinstance(part, ImagePart) for part in message.content):
            raise UntrainableError(
                f"$.messages[{index}].content",
                "image_not_trained",
                "models on this machine are trained on text, and this message contains an image",
                "Leave the example out, or describe the image in words.",
            )
        fields["content"] = "".join(part["text"] for part in fields["content"])
    for call in fields.get("tool_calls", ()):
        call["function"]["arguments"] = _arguments(call["function"]["arguments"])
    return fields


def _arguments(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _answer_span(messages: list[dict[str, Any]], tools: Any, index: int, whole: str, tokenizer: Tokenizer) -> Span:
    before = tokenizer.render(messages[:index], tools, answer_next=True)
    upto = whole if index == len(messages) - 1 else tokenizer.render(messages[: index + 1], tools)
    if not (whole.startswith(before) and whole.startswith(upto) and len(before) < len(upto)):
        raise UntrainableError(
            f"$.messages[{index}]",
            "answer_not_located",
            "the model's chat template rewrites earlier turns, so the position of this answer is not certain",
            "Give it weight 0, or make it the last message of an example of its own.",
        )
    return len(before), len(before) + tokenizer.end_of_answer(upto[len(before) :])


def _check_complete(messages: Iterable[dict[str, Any]], tools: Any, whole: str) -> None:
    """Some templates silently omit roles, tools or calls that they do not support."""
    for index, message in enumerate(messages):
        calls = [call["function"]["name"] for call in message.get("tool_calls") or ()]
        for text in [message.get("content") or "", *calls]:
            if text.strip() not in whole:
                raise UntrainableError(
                    f"$.messages[{index}]",
                    "template_leaves_out",
                    f"the model's chat template leaves out the content of this {message['role']} message",
                    "Put it into a role that the template supports, or use another model.",
                )
    for index, tool in enumerate(tools or ()):
        if tool["function"]["name"] not in whole:
            raise UntrainableError(
                f"$.tools[{index}]",
                "template_leaves_out",
                "the model's chat template does not support tools",
                "Use a model whose template supports tools, or leave them out.",
            )
