"""Random examples, sound ones and odd ones, and a converter of each vendor for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from msgspec.structs import replace

from ftbridge.dataset.canonical.example import (
    Assistant,
    Chat,
    Developer,
    Example,
    Function,
    FunctionCall,
    ImagePart,
    ImageUrl,
    Message,
    Preference,
    System,
    Text,
    TextPart,
    Tool,
    ToolCall,
    ToolDefinition,
    User,
)
from ftbridge.dataset.converter import Converter
from ftbridge.model import Method
from ftbridge_providers.azure.format import AzureFormat
from ftbridge_providers.mistral.format import MistralFormat
from ftbridge_providers.nebius.format import NebiusFormat
from ftbridge_providers.openai.format import OpenAIFormat
from ftbridge_providers.together.format import TogetherFormat

CONVERTERS: dict[str, Converter] = {
    "openai sft": OpenAIFormat("t", "gpt-4o-2024-08-06", Method.SFT),
    "openai dpo": OpenAIFormat("t", "gpt-4.1-2025-04-14", Method.DPO),
    "together sft": TogetherFormat("t", Method.SFT),
    "together reasoning": TogetherFormat("t", Method.SFT, "Qwen/Qwen3-8B"),
    "together dpo": TogetherFormat("t", Method.DPO),
    "mistral": MistralFormat("t", "pixtral-12b-latest"),
    "azure sft": AzureFormat("t", "gpt-4.1-2025-04-14", Method.SFT),
    "nebius": NebiusFormat("t"),
}

words = st.text(max_size=8) | st.sampled_from(["", "<|endoftext|>", "get_weather", "\x00", "👩🏽‍🚀", "a" * 70])
weights = st.sampled_from([None, 0, 1])
names = st.none() | st.sampled_from(["Ada", "bot"])
urls = st.sampled_from(
    ["data:image/png;base64,AAAA", "data:image/gif;base64,AAAA", "https://example.com/a.png", "a.png"]
)
images = st.builds(ImagePart, st.builds(ImageUrl, urls, st.sampled_from([None, "low"])))
contents = words | st.lists(st.builds(TextPart, words), max_size=3)
user_contents = contents | st.lists(st.builds(TextPart, words) | images, max_size=3)
flags = st.sampled_from([None, True, False])
ids = st.sampled_from(["call_1", "call_2", "TX92Jm8Zi", "3XhQnxLsT", ""])
functions = st.sampled_from(["weather", "get weather", "now"])
calls = st.builds(
    lambda name, arguments, key: ToolCall(id=key, function=FunctionCall(name, arguments), type="function"),
    functions,
    words,
    ids,
)
assistants = st.builds(
    Assistant,
    st.none() | contents,
    names,
    st.none() | st.lists(calls, max_size=2),
    st.none() | words,
    weights,
)
messages = st.one_of(
    st.builds(System, contents, names, weights),
    st.builds(Developer, contents, names, weights),
    st.builds(User, user_contents, names, weights),
    assistants,
    st.builds(Tool, user_contents, ids, names, weights),
)
parameters = st.sampled_from([None, {}, {"type": "object", "properties": {"city": {"type": "string"}}}])
tools = st.builds(
    lambda function: ToolDefinition(function=function, type="function"),
    st.builds(Function, functions, st.none() | words, parameters, st.sampled_from([None, True, False])),
)
chats = st.builds(
    Chat,
    st.lists(messages, max_size=5)
    | st.builds(lambda user, answer: [user, answer], st.builds(User, user_contents, names), assistants),
    st.none() | st.lists(tools, max_size=2),
    flags,
)
outputs = st.lists(messages, max_size=2)
wild = chats | st.builds(Preference, chats, outputs, outputs) | st.builds(Text, words)

message = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda text: "<|" not in text)
spoken: st.SearchStrategy[Any] = message | st.lists(st.builds(TextPart, message), min_size=1, max_size=2)
shown = spoken | st.builds(lambda text, image: [text, image], st.builds(TextPart, message), images)
empty: st.SearchStrategy[Any] = st.sampled_from([None, "", [], [TextPart("")]])
reasoning = st.sampled_from([None, None, "Let me think."])
answers = st.builds(Assistant, spoken, names, st.none(), reasoning, st.sampled_from([None, 1]))


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Messages in good order, that most vendors take; the last is an answer."""
    conversation: list[Message] = []
    if draw(st.booleans()):
        conversation.append(draw(st.builds(System, spoken, names) | st.builds(Developer, spoken, names)))
    for _ in range(draw(st.integers(1, 2))):
        said_by_user = shown if draw(st.integers(0, 4)) == 0 else spoken
        conversation.append(draw(st.builds(User, said_by_user, names, st.sampled_from([None, None, 0, 1]))))
        if draw(st.booleans()):
            keys = draw(st.lists(ids, min_size=1, max_size=2, unique=True))
            asked = [ToolCall(id=key, function=FunctionCall("now", draw(message)), type="function") for key in keys]
            conversation.append(Assistant(draw(empty), draw(names), asked))
            conversation += [Tool(draw(spoken), key, draw(names)) for key in keys]
        conversation.append(draw(answers))
    return conversation


def tool(name: str) -> st.SearchStrategy[ToolDefinition]:
    described = st.builds(Function, st.just(name), st.none() | words, parameters, st.sampled_from([None, True]))
    return described.map(lambda function: ToolDefinition(function=function, type="function"))


orderly = st.builds(Chat, conversations(), st.tuples(tool("now"), tool("weather")).map(list), flags)
preferences = st.builds(
    lambda chat, better, worse: Preference(replace(chat, messages=chat.messages[:-1]), [better], [worse]),
    orderly,
    answers,
    answers,
)
examples: st.SearchStrategy[Example] = wild | orderly | preferences
every_converter = pytest.mark.parametrize("converter", CONVERTERS.values(), ids=CONVERTERS)
