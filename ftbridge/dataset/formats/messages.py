"""Messages in OpenAI's shape with the differences that other programs write, as canonical ones.

Calls without ids and with their arguments as objects, results with a name only (Hugging Face's
transformers and TRL); `function_call` and the role `function` (OpenAI before tools); plain image
addresses, `text` and `prefix` (Mistral); `thinking` (TRL); `train`, `training`
and `loss` in place of a weight (Axolotl, ms-swift); the roles System, User and Chatbot (Cohere); Anthropic's blocks.
"""

from __future__ import annotations

from typing import Any

from ftbridge.dataset.canonical.without_meaning import without_meaning
from ftbridge.dataset.formats.anthropic import At, has_blocks, messages_of
from ftbridge.dataset.formats.base import FieldReader, JsonObject, image_part, message
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.tools import arguments_text

_ROLES = {"System": "system", "User": "user", "Chatbot": "assistant", "function": "tool"}
TRAINED = ("train", "training", "loss")


def take_messages(row: FieldReader, key: str, role: str, calls: CallIds) -> list[Any]:
    """The messages under `key`; a text, or a list of parts, is the one message of `role`.

    What has no known form stays as it is, for the canonical rules to refuse.
    """
    value = row.take(key)
    if isinstance(value, dict):
        return _messages(value, row, (key,), calls)
    if not isinstance(value, list) or _are_parts(value):
        return [message(role, _content(value))]
    return [made for index, one in enumerate(value) for made in _messages(one, row, (key, index), calls)]


def as_weight(value: Any) -> int | None:
    """The weight of 0 or 1 that a truth value or a number says; a table has 1.0 in a column with nulls."""
    return int(value) if isinstance(value, bool | int | float) and value in (0, 1) else None


def _are_parts(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) and "type" in item and "role" not in item for item in items)


def _messages(given: Any, row: FieldReader, at: At, calls: CallIds) -> list[Any]:
    """One message, or those that a message with Anthropic's blocks is."""
    if not isinstance(given, dict) or not has_blocks(given.get("content")):
        return [_message(given, row, at, calls)]
    return [_message(one, row, at, calls) for one in messages_of(given, row, at, calls)]


def _message(given: Any, row: FieldReader, at: At, calls: CallIds) -> Any:
    if not isinstance(given, dict):
        return given
    one = dict(given)
    if isinstance(one.get("role"), str):
        one["role"] = _ROLES.get(one["role"], one["role"])
    if "text" in one and one.get("content") is None:
        one["content"] = one.pop("text")
    if "content" in one:
        one["content"] = _content(one["content"])
    if one.get("role") == "assistant":
        if isinstance(one.get("thinking"), str) and one.get("reasoning_content") is None:
            one["reasoning_content"] = one.pop("thinking")
        _calls(one, calls)
    elif one.get("role") == "tool":
        given_id, name = one.get("tool_call_id"), one.get("name")
        one["tool_call_id"] = calls.answer(name, given_id) if _texts(given_id, name) else given_id
    _weight(one)
    _refuse_partly_trained(one, row, at)
    for key in without_meaning(one):
        del one[key]
        row.leave_out(*at, key)
    return one


def _refuse_partly_trained(one: JsonObject, row: FieldReader, at: At) -> None:
    if one.get("prefix") is not None and one.pop("prefix"):
        row.refuse(
            "'prefix' asks the model to continue a given text", "Put the complete answer into content.", *at, "prefix"
        )
    if one.get("train_detail"):
        row.refuse(
            "'train_detail' trains a part of the message, and a weight is for all of it",
            "Remove it, or give the message a weight of 0 or 1.",
            *at,
            "train_detail",
        )


def _content(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    return [
        image_part(part["image_url"]) if isinstance(part, dict) and isinstance(part.get("image_url"), str) else part
        for part in content
    ]


def _weight(one: JsonObject) -> None:
    key = next((known for known in ("weight", *TRAINED) if one.get(known) is not None), "weight")
    given = one.get(key)
    weight = None if key == "weight" and isinstance(given, bool) else as_weight(given)
    if weight is not None:
        del one[key]
        one["weight"] = weight


def _calls(one: JsonObject, calls: CallIds) -> None:
    if isinstance(one.get("function_call"), dict) and one.get("tool_calls") is None:
        one["tool_calls"] = [{"type": "function", "function": one.pop("function_call")}]
    if isinstance(one.get("tool_calls"), list):
        one["tool_calls"] = [_call(call, calls) for call in one["tool_calls"]]


def _call(given: Any, calls: CallIds) -> Any:
    if not isinstance(given, dict):
        return given
    call = dict(given)
    if "function" not in call and "name" in call:  # the function alone, which transformers' templates take too
        call = {"function": call}
    function = call.get("function")
    if not isinstance(function, dict):
        return call
    if isinstance(function.get("arguments"), dict):
        function = {**function, "arguments": arguments_text(function["arguments"])}
    identifier, name = call.get("id"), function.get("name")
    if _texts(identifier, name):
        call["id"] = calls.call(name or "", identifier)
    call.pop("index", None)  # the place in a stream of answers
    return {"type": "function", **call, "function": function}


def _texts(*values: Any) -> bool:
    """Whether those that are there are strings."""
    return all(value is None or isinstance(value, str) for value in values)
