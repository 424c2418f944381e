"""Chat completions in OpenAI's shape, which all providers answer in: requests, answers, and chunks of a stream."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from ftbridge.arguments import ChatOptions
from ftbridge.dataset.canonical.example import Chat, System, User
from ftbridge.dataset.canonical.key_order import keep_key_order
from ftbridge.errors import InputError, SpecError
from ftbridge.foreign.values import count_of, json_of
from ftbridge.provider.remote import Reply, Usage
from ftbridge.wording import did_you_mean, printable

_NOT_SAID = ("weight", "reasoning_content")


def chat_body(chat: Chat, options: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request, without the model: messages, tools, and options such as `max_tokens`.

    Weights and reasoning are left out: they say how to train an answer, and services refuse them in a request.
    """
    messages: list[dict[str, Any]] = msgspec.to_builtins(chat.messages)
    said = [{key: value for key, value in message.items() if key not in _NOT_SAID} for message in messages]
    body: dict[str, Any] = {"messages": said, **options}
    return {**body, "tools": msgspec.to_builtins(chat.tools)} if chat.tools else body


def read_chat(body: Mapping[str, Any]) -> Chat:
    """The messages and tools of a request. Raises `InputError` where they do not have OpenAI's shape."""
    messages = [_without_nulls(message) for message in body.get("messages") or ()]
    tools = {"tools": body["tools"]} if body.get("tools") else {}
    try:
        chat = msgspec.convert({"messages": messages, **tools}, Chat)
        keep_key_order(chat, {"messages": messages, **tools})
        return chat
    except msgspec.ValidationError as problem:
        raise InputError(
            f"the messages cannot be read: {problem}", hint="Write them in the shape of OpenAI's chat completions."
        ) from None


def as_chat(prompt: Any, system: str | None = None) -> Chat:
    """A text as a chat, or OpenAI's messages, or a chat as it is; `system` is a message before the others.

    Raises `InputError` for anything else.
    """
    first = [System(content=system)] if system else []
    if isinstance(prompt, str):
        return Chat(messages=[*first, User(content=prompt)])
    if isinstance(prompt, Chat):
        return msgspec.structs.replace(prompt, messages=[*first, *prompt.messages])
    body = prompt if isinstance(prompt, Mapping) and "messages" in prompt else {"messages": prompt}
    given = body["messages"]
    messages = [*given] if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping) else []
    if not messages:
        raise InputError(
            f"{printable(repr(prompt))} is neither a text nor a list of messages",
            hint='Give the prompt as a text, or as [{"role": "user", "content": "…"}].',
        )
    return as_chat(read_chat({**body, "messages": msgspec.to_builtins(messages)}), system)


def check_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a completion as they stand in its request.

    Raises `SpecError` for a name that is not in `ChatOptions`, and for a value that none of them can have.
    """
    known = list(ChatOptions.__annotations__)
    for name, value in options.items():
        if name not in known:
            hint = f"{did_you_mean(name, known)}A vendor's own options go into extra_body={{…}}."
            raise SpecError(f"{name!r} is not an option of a chat completion", hint=hint)
        try:
            msgspec.convert({name: value}, ChatOptions)
        except msgspec.ValidationError as problem:
            rule = str(problem).partition(" - at ")[0]
            raise SpecError(
                f"{name} = {printable(repr(value))} cannot be used: {rule[:1].lower()}{rule[1:]}",
                hint="Give it another value, or leave it out.",
            ) from None
    return {**{name: value for name, value in options.items() if name != "extra_body"}, **options.get("extra_body", {})}


def completion(
    model: str,
    text: str,
    *,
    reasoning: str | None = None,
    usage: Usage | None = None,
    finish_reason: str | None = None,
) -> dict[str, Any]:
    """An answer with one choice."""
    message = {"role": "assistant", "content": text}
    if reasoning:
        message["reasoning_content"] = reasoning
    answer: dict[str, Any] = {
        "id": _new_id(),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {"index": 0, "message": message, "finish_reason": finish_reason or "stop"},
        ],
    }
    return {**answer, "usage": usage_body(usage)} if usage else answer


def usage_body(usage: Usage) -> dict[str, int]:
    """The tokens of an answer."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def as_chunk(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A whole answer as the only chunk of a stream."""
    choices = []
    for choice in answer["choices"]:
        message = dict(choice["message"])
        if calls := message.get("tool_calls"):  # in a chunk each call has its index
            message["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
        choices.append({**{name: value for name, value in choice.items() if name != "message"}, "delta": message})
    return {**answer, "object": "chat.completion.chunk", "choices": choices}


def chunks_of(model: str, pieces: Iterable[str | Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """The chunks of a stream that writes `pieces`: texts, or fields of the message such as `reasoning_content`.

    A piece with a `finish_reason` says why the answer ends, where that is not "stop".
    """
    head = {"id": _new_id(), "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
    role, reason = {"role": "assistant"}, "stop"
    for piece in pieces:
        if isinstance(piece, Mapping) and "finish_reason" in piece:
            reason = piece["finish_reason"]
            continue
        fields = {"content": piece} if isinstance(piece, str) else piece
        yield {**head, "choices": [{"index": 0, "delta": {**role, **fields}, "finish_reason": None}]}
        role = {}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def text_of_chunk(chunk: Mapping[str, Any]) -> str:
    """The text that a chunk adds to the first choice; "" for chunks that hold something else, such as the usage."""
    choices = chunk.get("choices") or []
    return _text(choices[0]["delta"].get("content")) if choices else ""


def read_reply(answer: Mapping[str, Any]) -> Reply:
    """The text and the tool calls of the first choice, the reasoning before it, and why it ends."""
    usage, choice = answer.get("usage"), answer["choices"][0]
    message, reason = choice["message"], choice.get("finish_reason")
    reasoning, refusal = message.get("reasoning_content"), message.get("refusal")
    return Reply(
        text=_text(message.get("content")),
        model=answer["model"],
        reasoning=reasoning if isinstance(reasoning, str) and reasoning else None,
        finish_reason=reason if isinstance(reason, str) and reason else None,
        tool_calls=tuple(json_of(call) for call in message.get("tool_calls") or () if isinstance(call, dict)),
        refusal=refusal if isinstance(refusal, str) and refusal else None,
        usage=Usage(
            prompt_tokens=count_of(usage.get("prompt_tokens")) or 0,
            completion_tokens=count_of(usage.get("completion_tokens")) or 0,
        )
        if usage
        else None,
    )


def _new_id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"


def _without_nulls(message: Any) -> Any:
    """The message without its null fields, which mean the same as missing ones."""
    if isinstance(message, Mapping):
        return {name: value for name, value in message.items() if value is not None}
    return message


def _text(content: Any) -> str:
    """The text of a message's content, which is a string, a list of parts, or missing."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    return content or ""
