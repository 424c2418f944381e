"""Tokens by Mistral's rules: its vocabulary, and its markup of messages, tools and images.

Source: mistral-common 1.13.1, which carries the vocabulary, so that nothing is downloaded; its V3 instruct tokenizer
(tokens/tokenizers/instruct.py), and its image encoder (image.py) by the settings of pixtral-12b.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ftbridge.dataset import TextCounter
from ftbridge.dataset.canonical.example import Assistant, Example, Message, Text, Tool, ToolDefinition, User
from ftbridge.dataset.canonical.texts import content_texts, messages_of, tools_of
from ftbridge_providers.shared.image_size import images_of, pixels

_AROUND = 2  # control tokens around a question, a call, a result, and the tools
_PATCH, _LONGEST_SIDE = 16, 1024
_ID = 9  # characters of an id in the form that Mistral requires
_SENTENCEPIECE = ("mistral-7b", "mixtral", "mistral-tiny", "mistral-large-2407")
_FILE = "data/tekken_240718.json"  # the vocabulary of open-mistral-nemo, mistral-common 1.13.1


class _Config(Struct):
    pattern: str
    default_vocab_size: int
    default_num_special_tokens: int


class _Word(Struct):
    rank: int
    token_bytes: bytes


class _Vocabulary(Struct):
    config: _Config
    vocab: list[_Word]


def tekken(model: str) -> TextCounter | None:
    """Tekken, for the models that use it by mistral-common's table; `None` for others, or where it is not installed."""
    package = None if any(name in model for name in _SENTENCEPIECE) else find_spec("mistral_common")
    file = Path(*package.submodule_search_locations or ()) / _FILE if package else None
    if file is None or not file.exists():
        return None
    import tiktoken

    # read without mistral-common's own classes, whose tokenizer takes 1.5 s to load instead of 0.3
    vocabulary = msgspec.json.decode(file.read_bytes(), type=_Vocabulary)
    size = vocabulary.config.default_vocab_size - vocabulary.config.default_num_special_tokens
    ranks = {word.token_bytes: word.rank for word in vocabulary.vocab[:size]}
    encoding = tiktoken.Encoding("tekken", pat_str=vocabulary.config.pattern, mergeable_ranks=ranks, special_tokens={})
    return TextCounter("tekken", lambda text: len(encoding.encode_ordinary(text)), error=0.02)


class MistralCounter:
    """Counts texts by `texts`, and adds Mistral's markup; images only for pixtral, which takes them.

    The markup of later models differs by a token or two.
    """

    def __init__(self, texts: TextCounter, model: str) -> None:
        self.name = texts.name
        self.error = texts.error
        self.images = "pixtral" in model
        self._length = texts.length

    def count(self, example: Example) -> int:
        """The tokens of the messages, the tools, and, where the model is trained on them, the images."""
        if isinstance(example, Text):
            return 1 + self._length(example.text) + 1
        messages = messages_of(example)
        tokens = 1 + sum(map(self._message, messages)) + self._system(messages)
        if tools := tools_of(example):
            tokens += _AROUND + self._json([_definition(tool) for tool in tools])
        return tokens + sum(image_tokens(image.url) for image in images_of(example)) * self.images

    def _message(self, message: Message) -> int:
        text = "".join(content_texts(message.content))
        if isinstance(message, Assistant) and message.tool_calls:
            calls = [
                {"name": call.function.name, "arguments": _parsed(call.function.arguments), "id": call.id[:_ID]}
                for call in message.tool_calls
            ]
            return _AROUND + self._json(calls)
        if isinstance(message, Assistant):
            return self._length(text) + 1
        if isinstance(message, Tool):
            return _AROUND + self._json({"content": _parsed(text), "call_id": message.tool_call_id[:_ID]})
        return _AROUND + self._length(text) if isinstance(message, User) else 0

    def _system(self, messages: list[Message]) -> int:
        """The system prompt is put before the last question, and tokenized together with it."""
        systems = [message for message in messages if not isinstance(message, User | Assistant | Tool)]
        questions = [message for message in messages if isinstance(message, User)]
        prompt = "".join(chain.from_iterable(content_texts(message.content) for message in systems))
        question = "".join(content_texts(questions[-1].content)) if questions else ""
        return self._length(f"{prompt}\n\n{question}") - self._length(question) if systems else 0

    def _json(self, value: Any) -> int:
        return self._length(json.dumps(value, ensure_ascii=False))


def image_tokens(url: str) -> int:
    """One for each patch of 16 pixels of the image, scaled to 1024, and one at the end of each row of patches."""
    width, height = pixels(url)
    ratio = max(1.0, width / _LONGEST_SIDE, height / _LONGEST_SIDE)
    across, down = (-(-max(round(side / ratio), 1) // _PATCH) for side in (width, height))
    return (across + 1) * down


def _definition(tool: ToolDefinition) -> dict[str, Any]:
    function = tool.function
    parameters = {"type": "object", "properties": {}} if function.parameters is None else function.parameters
    described = {"name": function.name, "description": function.description or "", "parameters": parameters}
    return {"type": "function", "function": described}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
