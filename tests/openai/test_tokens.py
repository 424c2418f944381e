"""Messages, tools and images are counted by OpenAI's published rules; its examples are the ones checked here."""

from __future__ import annotations

import base64
import struct

import pytest

from ftbridge.dataset import TextCounter, guess, o200k
from ftbridge.dataset.canonical.example import (
    Assistant,
    Chat,
    Function,
    FunctionCall,
    ImagePart,
    ImageUrl,
    Message,
    System,
    Text,
    ToolCall,
    ToolDefinition,
    User,
)
from ftbridge_providers.openai_api.gpt.tokens import OpenAICounter, image_tokens

VISION, BLIND = "gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18"
WEATHER = Function(
    "get_current_weather",
    "Get the current weather in a given location",
    {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
            "unit": {
                "type": "string",
                "description": "The unit of temperature to return",
                "enum": ["celsius", "fahrenheit"],
            },
        },
        "required": ["location"],
    },
)
ASKED: list[Message] = [
    System("You are a helpful assistant that can answer to questions about the weather."),
    User("What's the weather like in San Francisco?"),
]


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return "data:image/png;base64," + base64.b64encode(head).decode()


def jpeg(width: int, height: int) -> str:
    head = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0" + struct.pack(">HBHH", 17, 8, height, width)
    return "data:image/jpeg;base64," + base64.b64encode(head).decode()


@pytest.mark.parametrize("embedded", [png, jpeg])
@pytest.mark.parametrize(("width", "height", "tokens"), [(1024, 1024, 765), (2048, 4096, 1105), (512, 512, 255)])
def test_an_image_costs_what_its_tiles_cost(embedded: object, width: int, height: int, tokens: int) -> None:
    assert callable(embedded)
    assert image_tokens(ImageUrl(embedded(width, height), "high")) == tokens


def test_low_detail_has_one_price() -> None:
    assert image_tokens(ImageUrl(png(4096, 8192), "low")) == 85


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "data:image/png;base64,iVBO",
        "data:image/jpeg;base64,/9j/",
        "data:image/png;base64,é",
        png(0, 9),
    ],
)
def test_an_image_of_unknown_size_is_taken_as_1024_by_1024(url: str) -> None:
    assert image_tokens(ImageUrl(url)) == 765


def test_images_add_to_the_texts_where_the_model_is_trained_on_them() -> None:
    shown = Chat([User([ImagePart(ImageUrl(png(512, 512)))])])
    seeing, blind = OpenAICounter(guess(), VISION), OpenAICounter(guess(), BLIND)
    assert (seeing.images, blind.images) == (True, False)
    assert seeing.count(shown) == blind.count(shown) + 255


def words(text: str) -> int:
    return len(text.split())


def tool(function: Function) -> ToolDefinition:
    return ToolDefinition(function=function, type="function")


def test_tools_and_names_are_counted_piece_by_piece() -> None:
    counter = OpenAICounter(TextCounter("words", words), BLIND)
    bare = counter.count(Chat([User("one two")]))
    assert bare == 4 + 2 + 3
    assert counter.count(Chat([User("one two", name="Ada")])) == bare + 1 + 1
    assert counter.count(Text("one two three")) == 3
    assert counter.count(Chat([User("one two")], [tool(Function("f"))])) == bare + 12 + 7 + 1
    call = ToolCall(id="1", function=FunctionCall("f", "{}"), type="function")
    assert counter.count(Chat([Assistant(None, tool_calls=[call])])) == 4 + 3 + 1 + 1


def test_what_the_rule_for_tools_does_not_know_is_counted_as_json() -> None:
    counter = OpenAICounter(TextCounter("characters", len), BLIND)
    plain, nested = (
        counter.count(Chat([User("x")], [tool(Function("f", parameters={"properties": {"a": schema}}))]))
        for schema in ({"type": "array"}, {"type": "array", "items": {"type": "string"}})
    )
    assert nested == plain + len('{"items":{"type":"string"}}')
    for odd in (True, [1], None, {"type": ["string", "null"], "enum": 3, "description": 4}):
        assert counter.count(Chat([User("x")], [tool(Function("f", parameters={"properties": {"a": odd}}))])) > 0


def test_the_real_vocabulary_gives_the_published_count_for_tools() -> None:
    """101 for gpt-4o, in "How to count tokens with tiktoken" (OpenAI's cookbook, 2024-10)."""
    pytest.importorskip("tiktoken")
    known = o200k()
    if known is None:
        pytest.skip("o200k_base is not on this machine")
    assert OpenAICounter(known, VISION).count(Chat(ASKED, [tool(WEATHER)])) == 101
