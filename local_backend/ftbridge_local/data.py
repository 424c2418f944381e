"""Examples to rows of token ids, with the exact knowledge of which tokens are trained.

A chat is rendered once by the model's own template and tokenized once as a whole. Where an answer begins and ends is
found by rendering the messages before it and up to it, and seeing that the whole rendering starts with the same
characters. Where it does not, the template rewrites earlier turns and the answer's place is not certain: the example
is refused, never guessed at. A token is trained when all its characters belong to an answer; the token that ends the
turn does.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from ftbridge.dataset.example import Assistant, Chat, Example, ImagePart, Message, Text, Tool
from ftbridge_local.tokenizer import Span, TemplateError, Tokenizer


class Row(NamedTuple):
    """One tokenized example: `trained[i]` says whether the model learns to say token `ids[i]`."""

    ids: list[int]
    trained: list[bool]

    def cut(self, length: int) -> Row:
        """The first `length` tokens."""
        return Row(self.ids[:length], self.trained[:length])


class UnfitError(Exception):
    """An example that this model cannot be trained on: where, a stable code, why, and what to do."""

    def __init__(self, path: str, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.path, self.code, self.message, self.fix = path, code, message, fix


def encode(example: Example, tokenizer: Tokenizer) -> Row:
    """The whole example as a row, however long. Raises `UnfitError`."""
    if isinstance(example, Text):
        ids = [*tokenizer.bos_ids, *tokenizer.encode(example.text)[0], tokenizer.eos_id]
        return Row(ids, [False, *[True] * (len(ids) - 1)])
    if not isinstance(example, Chat):
        raise UnfitError("$", "shape_not_trained", "preferences are not trained by this method", "Use chats or texts.")
    messages, tools = plain(example)
    try:
        whole = tokenizer.render(messages, tools)
        _nothing_left_out(messages, tools, whole)
        spans = [
            _answer(messages, tools, index, whole, tokenizer)
            for index, message in enumerate(example.messages)
            if isinstance(message, Assistant) and message.weight != 0
        ]
    except TemplateError as refusal:
        raise UnfitError(
            "$.messages",
            "template_refuses",
            f"the model's chat template does not take this chat: {refusal}",
            "Change the roles or their order to what the template knows, or use another model.",
        ) from None
    ids, places = tokenizer.encode(whole)
    trained = [any(start <= first and last <= end for start, end in spans) for first, last in places]
    trained[0] = False  # nothing comes before the first token that it could be told from
    return Row(ids, trained)


def prompt(chat: Chat, tokenizer: Tokenizer) -> list[int]:
    """The token ids after which the model's answer to `chat` begins. Raises `UnfitError`."""
    messages, tools = plain(chat)
    try:
        return tokenizer.encode(tokenizer.render(messages, tools, answer_next=True))[0]
    except TemplateError as refusal:
        raise UnfitError("$.messages", "template_refuses", f"the model's chat template says: {refusal}", "") from None


def plain(chat: Chat) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None]:
    """Messages and tools as templates expect them: contents as one string, arguments of calls as objects.

    Names of people are left out: hardly a template shows them, and none says whether it does.
    """
    messages = [_plain(index, message) for index, message in enumerate(chat.messages)]
    return messages, msgspec.to_builtins(chat.tools) if chat.tools else None


def batches(lengths: Sequence[int], size: int, seed: str) -> list[list[int]]:
    """Which rows go together, in order: shuffled by `seed`, yet of similar length, so that little is padding."""
    order = list(range(len(lengths)))
    chance = random.Random(seed)  # noqa: S311 - the order of rows is no secret
    chance.shuffle(order)
    pool = 16 * size
    made = []
    for start in range(0, len(order), pool):
        near = sorted(order[start : start + pool], key=lambda index: lengths[index])
        made += [near[first : first + size] for first in range(0, len(near), size)]
    chance.shuffle(made)
    return made


def _plain(index: int, message: Message) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(message)
    fields.pop("weight", None)
    if not isinstance(message, Tool):
        fields.pop("name", None)
    if isinstance(message.content, list):
        if any(isinstance(part, ImagePart) for part in message.content):
            raise UnfitError(
                f"$.messages[{index}].content",
                "image_not_trained",
                "models on this machine are trained on text, and this message holds an image",
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


def _answer(messages: list[dict[str, Any]], tools: Any, index: int, whole: str, tokenizer: Tokenizer) -> Span:
    before = tokenizer.render(messages[:index], tools, answer_next=True)
    upto = whole if index == len(messages) - 1 else tokenizer.render(messages[: index + 1], tools)
    if not (whole.startswith(before) and whole.startswith(upto) and len(before) < len(upto)):
        raise UnfitError(
            f"$.messages[{index}]",
            "answer_not_located",
            "the model's chat template rewrites earlier turns, so where this answer stands is not certain",
            "Give it weight 0, or make it the last message of an example of its own.",
        )
    return len(before), len(before) + tokenizer.end_of_answer(upto[len(before) :])


def _nothing_left_out(messages: Iterable[dict[str, Any]], tools: Any, whole: str) -> None:
    """Some templates pass over roles, tools or calls that they do not know, without a word."""
    for index, message in enumerate(messages):
        calls = [call["function"]["name"] for call in message.get("tool_calls") or ()]
        for text in [message.get("content") or "", *calls]:
            if text.strip() not in whole:
                raise UnfitError(
                    f"$.messages[{index}]",
                    "template_leaves_out",
                    f"the model's chat template leaves out what this {message['role']} message says",
                    "Say it in a role that the template knows, or use another model.",
                )
    for index, tool in enumerate(tools or ()):
        if tool["function"]["name"] not in whole:
            raise UnfitError(
                f"$.tools[{index}]",
                "template_leaves_out",
                "the model's chat template has no place for tools",
                "Use a model whose template takes tools, or leave them out.",
            )
