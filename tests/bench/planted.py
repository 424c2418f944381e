"""A large dataset with planted defects whose truth is known: line -> the code that must be found there."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]

BROKEN = 0.03
_LETTERS = {
    "en": "etaoinshrdlucmfwypvbgk",
    "de": "enisratdhulcgmobwfkzvüäöß",
    "el": "αοιετσνηυρπκμλςγδθ",
    "ja": "のにたいをとはがしてで日本人大中出三年月火水",
}


def generate(path: Path, size: int, seed: int = 7) -> dict[int, str]:
    """Write about `size` bytes of rows to `path`; returns the truth."""
    truth: dict[int, str] = {}
    with path.open("wb") as file:
        for number, (line, code) in enumerate(_rows(random.Random(seed)), 1):
            file.write(line + b"\n")
            if code:
                truth[number] = code
            if file.tell() >= size:
                return truth
    raise AssertionError("the rows never end")


def _rows(rng: random.Random) -> Iterator[tuple[bytes, str]]:
    sentences = {language: [_sentence(rng, letters) for _ in range(4000)] for language, letters in _LETTERS.items()}
    earlier: list[Row] = []
    while True:
        draw = rng.random()
        if earlier and draw < 0.04:
            row = rng.choice(earlier)
        elif earlier and draw < 0.07:
            row = json.loads(json.dumps(rng.choice(earlier)))
            row["messages"][-1]["content"] += " Indeed."
        else:
            row = _tool_row(rng, sentences["en"]) if rng.random() < 0.08 else _chat_row(rng, sentences)
            if "tools" not in row and len(earlier) < 5000:
                earlier.append(row)
        if rng.random() < BROKEN:
            code, spoil = rng.choice(_DEFECTS)
            yield spoil(json.loads(json.dumps(row)), rng), code
        else:
            yield _encode(row), ""


def _sentence(rng: random.Random, letters: str) -> str:
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(rng.randint(4, 14))]
    if rng.random() < 0.15:
        words[1] = f'"{words[1]}"'
    return " ".join(words).capitalize() + rng.choice([".", ".", ".", "!", "?", ":\n", ".\n\n"])


def _chat_row(rng: random.Random, sentences: dict[str, list[str]]) -> Row:
    language = rng.choices(list(sentences), weights=[70, 15, 8, 7])[0]

    def text(most: int) -> str:
        return " ".join(rng.choices(sentences[language], k=rng.randint(1, most))).strip()

    messages: list[Row] = [{"role": "system", "content": text(2)}] if rng.random() < 0.6 else []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        messages += [{"role": "user", "content": text(4)}, {"role": "assistant", "content": text(8)}]
    if len(messages) > 3 and rng.random() < 0.2:
        messages[-3]["weight"] = 0
    return {"messages": messages}


def _tool_row(rng: random.Random, sentences: list[str]) -> Row:
    call = f"call_{rng.getrandbits(64):016x}"
    arguments = json.dumps({"city": rng.choice(sentences), "days": rng.randint(1, 9)})
    messages = [
        {"role": "user", "content": rng.choice(sentences)},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call, "type": "function", "function": {"name": "forecast", "arguments": arguments}}],
        },
        {"role": "tool", "tool_call_id": call, "content": json.dumps({"celsius": rng.randint(-20, 40)})},
        {"role": "assistant", "content": " ".join(rng.choices(sentences, k=4))},
    ]
    parameters = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
    function = {"name": "forecast", "description": rng.choice(sentences), "parameters": parameters}
    return {"messages": messages, "tools": [{"type": "function", "function": function}]}


def _encode(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()


def _edit(change: Callable[[Row], object]) -> Callable[[Row, random.Random], bytes]:
    def spoil(row: Row, rng: random.Random) -> bytes:
        change(row)
        return _encode(row)

    return spoil


def _called(**changes: Any) -> Callable[[Row, random.Random], bytes]:
    return _edit(lambda row: row.update(messages=[_USER, {"role": "assistant", "tool_calls": [{**_CALL, **changes}]}]))


def _tool(parameters: Row) -> Row:
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


_USER = {"role": "user", "content": "Is it so?"}
_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_CALLING = {"role": "assistant", "tool_calls": [_CALL]}
_DEFECTS: list[tuple[str, Callable[[Row, random.Random], bytes]]] = [
    ("json", lambda row, rng: _encode(row)[: rng.randint(20, 60)].decode(errors="ignore").encode()),
    ("json", lambda row, rng: _encode(row) + b"}"),
    ("not_utf8", lambda row, rng: _encode(row).replace(b'"content": "', b'"content": "\xe9', 1)),
    ("not_an_object", lambda row, rng: _encode([row])),
    ("number", lambda row, rng: _encode({**row, "seed": float("nan")})),
    ("too_deep", lambda row, rng: b'{"messages": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
    ("surrogate", lambda row, rng: _encode(row).replace(b'"content": "', b'"content": "\\ud800', 1)),
    ("mixed_shapes", lambda row, rng: _encode({"text": row["messages"][0]["content"]})),
    ("empty_messages", _edit(lambda row: row.update(messages=[]))),
    ("unknown_role", _edit(lambda row: row["messages"][0].update(role="human"))),
    ("missing_role", _edit(lambda row: row["messages"][0].pop("role"))),
    ("missing_key", _edit(lambda row: row["messages"][0].pop("content"))),
    ("unknown_key", _edit(lambda row: row["messages"][-1].update(mood="calm"))),
    ("unknown_key", _edit(lambda row: row.update(persona="pirate"))),
    ("unknown_key", _edit(lambda row: row["messages"][0].update(tool_call_id="c1"))),
    ("wrong_type", _edit(lambda row: row["messages"][0].update(content=7))),
    ("wrong_type", _edit(lambda row: row["messages"][-1].update(weight=0.5))),
    ("wrong_type", _called(function={"name": "f", "arguments": ["a"]})),
    ("empty_content", _edit(lambda row: row["messages"][-1].update(content=" \n"))),
    ("no_assistant", _edit(lambda row: row.update(messages=[_USER]))),
    ("last_not_assistant", _edit(lambda row: row["messages"].append(_USER))),
    ("nothing_trained", _edit(lambda row: row.update(messages=[_USER, {**row["messages"][-1], "weight": 0}]))),
    (
        "tool_schema",
        _edit(lambda row: row.update(tools=[_tool({"properties": {"a": {"type": "str"}}})])),
    ),
    ("arguments_schema", _edit(lambda row: row.update(messages=[_USER, _CALLING], tools=[_tool({"required": ["a"]})]))),
    ("undeclared_tool", _edit(lambda row: row.update(messages=[_USER, _CALLING]))),
    ("arguments", _called(function={"name": "f", "arguments": "{'a': 1}"})),
    ("tool_call_id", _called(id="")),
    (
        "tool_call_id",
        _edit(lambda row: row["messages"].insert(-1, {"role": "tool", "tool_call_id": "x", "content": ""})),
    ),
    (
        "image_url",
        _edit(
            lambda row: row["messages"].insert(
                -1, {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "cat.png"}}]}
            )
        ),
    ),
]
