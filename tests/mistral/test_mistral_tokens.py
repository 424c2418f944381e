"""Tokens for Mistral are counted by its own vocabulary, as its own tokenizer counts them."""

from __future__ import annotations

import base64
import struct
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.image import ImageConfig, ImageEncoder, SpecialImageIDs
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from ftbridge.dataset import guess
from ftbridge.dataset.canonical.example import Chat, ImagePart, ImageUrl, Text, User
from ftbridge_providers.mistral.tokens import MistralCounter, image_tokens, tekken

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "In a city", "parameters": CITY}}
CALL = {"id": "TX92Jm8Zi", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
CHATS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "Hi"}]},
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]},
    {"messages": [{"role": "user", "content": "Où?"}], "tools": [WEATHER, WEATHER]},
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather in Oslo and Rome?"},
            {"role": "assistant", "tool_calls": [CALL, {**CALL, "id": "3XhQnxLsT"}]},
            {"role": "tool", "tool_call_id": "TX92Jm8Zi", "content": '{"rain": 1.50, "wind": "nø"}'},
            {"role": "tool", "tool_call_id": "3XhQnxLsT", "content": "sun"},
            {"role": "assistant", "content": "Rain, then sun."},
            {"role": "user", "content": "Thanks!"},
        ],
        "tools": [WEATHER],
    },
]

TEXTS = [
    "",
    "Where is my order 1234567?\r\n\r\nIt's LATE…",
    "Straße, γλώσσα, 東京タワー, नमस्ते, 👩‍👩‍👧, \u0000\u200b\ufeff",
    "def f(x):\n\treturn {'a': [1, 2.5e-3], **x}   \n\n",
    "[INST] is no special token </s> in a text <s>",
]


def test_the_count_is_that_of_mistrals_own_tokenizer() -> None:
    own = MistralTokenizer.v3(is_tekken=True).instruct_tokenizer.tokenizer
    counter = tekken("open-mistral-nemo")
    assert counter is not None
    assert counter.name == "tekken"
    for text in TEXTS:
        assert counter.count(Text(text)) == len(own.encode(text, bos=False, eos=False)), text


@pytest.mark.parametrize("model", ["open-mistral-7b", "open-mixtral-8x7b"])
def test_models_with_another_vocabulary_are_not_counted_by_it(model: str) -> None:
    assert tekken(model) is None


@pytest.mark.parametrize("row", CHATS)
def test_a_chat_with_tools_is_counted_as_mistrals_own_tokenizer_does(row: dict[str, Any]) -> None:
    request = ChatCompletionRequest.from_openai(messages=row["messages"], tools=row.get("tools"))
    own = MistralTokenizer.v3(is_tekken=True).encode_chat_completion(request).tokens
    words = tekken("open-mistral-nemo")
    assert words is not None
    assert MistralCounter(words, "open-mistral-nemo").count(msgspec.convert(row, Chat)) == len(own)


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return "data:image/png;base64," + base64.b64encode(head).decode()


@pytest.mark.parametrize("size", [(1024, 1024), (16, 16), (17, 1), (2000, 333), (333, 2000), (9000, 1), (640, 480)])
def test_an_image_is_counted_as_mistrals_own_encoder_does(size: tuple[int, int]) -> None:
    own = ImageEncoder(ImageConfig(image_patch_size=16, max_image_size=1024), SpecialImageIDs(1, 2, 3))
    across, down = own._image_to_num_tokens(SimpleNamespace(size=size))  # type: ignore[arg-type]  # of an image it reads the size alone
    assert image_tokens(png(*size)) == (across + 1) * down


def test_images_are_counted_for_the_model_that_is_trained_on_them() -> None:
    shown = Chat([User([ImagePart(ImageUrl(png(16, 16)))])])
    seeing, blind = MistralCounter(guess(), "pixtral-12b-latest"), MistralCounter(guess(), "open-mistral-nemo")
    assert (seeing.images, blind.images) == (True, False)
    assert seeing.count(shown) == blind.count(shown) + 2


def test_odd_json_in_calls_and_results_is_counted_as_text() -> None:
    for text in ("{", "9" * 5000, "[" * 100_000, "nan"):
        call = {**CALL, "function": {"name": "f", "arguments": text}}
        result = {"role": "tool", "tool_call_id": "TX92Jm8Zi", "content": text}
        messages = [{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [call]}, result]
        assert MistralCounter(guess(), "any").count(msgspec.convert({"messages": messages}, Chat)) > 0
