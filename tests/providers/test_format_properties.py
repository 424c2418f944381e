"""Whatever the example: no text is lost, nothing raises, the example stays, and the row reads back the same."""

from __future__ import annotations

import pickle
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ftbridge.dataset.converter import Converter
from ftbridge.dataset.example import (
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
from ftbridge.dataset.findings import Notes
from ftbridge.model import Method
from ftbridge_providers.mistral.format import MistralFormat
from ftbridge_providers.mistral.tool_ids import rewritten_ids
from ftbridge_providers.openai.format import OpenAIFormat
from ftbridge_providers.together.format import TogetherFormat

CONVERTERS: dict[str, Converter] = {
    "openai sft": OpenAIFormat("t", "gpt-4o-2024-08-06", Method.SFT),
    "openai dpo": OpenAIFormat("t", "gpt-4.1-2025-04-14", Method.DPO),
    "together sft": TogetherFormat("t", Method.SFT),
    "together dpo": TogetherFormat("t", Method.DPO),
    "mistral": MistralFormat("t", "pixtral-12b-latest"),
}

words = st.text(max_size=8) | st.sampled_from(["", "<|endoftext|>", "get_weather", "\x00", "👩🏽‍🚀", "a" * 70])
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
    st.sampled_from([None, 0, 1]),
)
messages = st.one_of(
    st.builds(System, contents, names),
    st.builds(Developer, contents, names),
    st.builds(User, user_contents, names),
    assistants,
    st.builds(Tool, user_contents, ids, names),
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

said = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda text: "<|" not in text)
spoken: st.SearchStrategy[Any] = said | st.lists(st.builds(TextPart, said), min_size=1, max_size=2)
shown = spoken | st.builds(lambda text, image: [text, image], st.builds(TextPart, said), images)
empty: st.SearchStrategy[Any] = st.sampled_from([None, "", [TextPart("")]])
answers = st.builds(Assistant, spoken, names, st.none(), st.sampled_from([None, 1]))


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Messages in good order, that most vendors take; the last is an answer."""
    conversation: list[Message] = []
    if draw(st.booleans()):
        conversation.append(draw(st.builds(System, spoken, names) | st.builds(Developer, spoken, names)))
    for _ in range(draw(st.integers(1, 2))):
        conversation.append(draw(st.builds(User, shown if draw(st.integers(0, 4)) == 0 else spoken, names)))
        if draw(st.booleans()):
            keys = draw(st.lists(ids, min_size=1, max_size=2, unique=True))
            asked = [ToolCall(id=key, function=FunctionCall("now", draw(said)), type="function") for key in keys]
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


def plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def texts(value: Any, key: str = "") -> list[str]:
    """Every text that a model could learn from, or that a tool is known by."""
    if isinstance(value, dict):
        return [text for name, inner in value.items() for text in texts(inner, name)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner, key)]
    ours = {"content", "text", "arguments", "name", "description", "url", "image_url"}
    return [value] if isinstance(value, str) and key in ours else []


@every_converter
@given(example=examples)
def test_convert_loses_no_text_raises_nothing_and_leaves_the_example_alone(
    converter: Converter, example: Example
) -> None:
    before = plain(example)
    notes = Notes()
    row = converter.convert(example, notes)
    assert plain(example) == before
    if any(found.level == "error" for found in notes.findings):
        return
    assert (row is example) == (not notes.changes)
    if "name_dropped" in notes.changes:
        before = without_authors(before)
    everything = "\x02".join(texts(plain(row)))
    assert all(text in everything for text in texts(before))


def without_authors(value: Any) -> Any:
    """The row without the names of those who speak; functions keep theirs."""
    if isinstance(value, dict):
        return {key: without_authors(inner) for key, inner in value.items() if key != "name" or "role" not in value}
    return [without_authors(inner) for inner in value] if isinstance(value, list) else value


@every_converter
@given(example=examples)
def test_what_a_vendor_gets_is_the_example_up_to_the_reported_changes(converter: Converter, example: Example) -> None:
    notes = Notes()
    row = converter.convert(example, notes)
    if any(found.level == "error" for found in notes.findings):
        return
    codes = set(notes.changes)
    assert neutral(plain(row), codes, {}) == neutral(plain(example), codes, {})


@every_converter
@given(example=examples)
def test_what_a_vendor_gets_needs_no_second_conversion(converter: Converter, example: Example) -> None:
    notes = Notes()
    row = converter.convert(example, notes)
    if "image_url_as_string" in notes.changes or any(found.level == "error" for found in notes.findings):
        return
    again = Notes()
    read_back = msgspec.json.decode(msgspec.json.encode(row), type=type(example))
    assert converter.convert(read_back, again) is read_back
    assert again.findings == notes.findings


@every_converter
def test_a_converter_can_be_sent_to_other_processes(converter: Converter) -> None:
    assert pickle.loads(pickle.dumps(converter)).shapes == converter.shapes


@given(st.lists(st.text(max_size=12) | st.sampled_from(["TX92Jm8Zi", "3XhQnxLsT"])))
def test_rewritten_ids_are_nine_letters_or_digits_and_never_meet(names: list[str]) -> None:
    new = rewritten_ids(names)
    final = [new.get(name, name) for name in dict.fromkeys(names)]
    assert all(re.fullmatch("[a-zA-Z0-9]{9}", name) for name in final)
    assert len(set(final)) == len(final)
    assert rewritten_ids(names) == new


ANY = object()
DROPPED: list[tuple[str, str, Any]] = [
    ("parallel_tool_calls_dropped", "parallel_tool_calls", ANY),
    ("strict_dropped", "strict", ANY),
    ("image_detail_dropped", "detail", ANY),
    ("description_filled", "description", ""),
    ("parameters_filled", "parameters", {"type": "object", "properties": {}}),
]


def neutral(value: Any, codes: set[str], numbers: dict[str, int]) -> Any:
    """The row without what the codes say has changed, so that both sides of the change are equal."""
    if isinstance(value, list):
        return [neutral(inner, codes, numbers) for inner in value]
    if not isinstance(value, dict):
        return value
    row = dict(value)
    if "role" in row:
        neutral_message(row, codes, numbers)
    if "tool_ids_rewritten" in codes and "function" in row and "id" in row:
        row["id"] = numbers.setdefault(row["id"], len(numbers))
    for code, key, value_dropped in DROPPED:
        if code in codes and key in row and value_dropped in (ANY, row[key]):
            del row[key]
    if "image_url_as_string" in codes and isinstance(row.get("image_url"), str):
        row["image_url"] = {"url": row["image_url"]}
    return {key: neutral(inner, codes, numbers) for key, inner in row.items()}


def neutral_message(row: dict[str, Any], codes: set[str], numbers: dict[str, int]) -> None:
    content = row.get("content")
    if "developer_role_renamed" in codes and row["role"] == "developer":
        row["role"] = "system"
    if "name_dropped" in codes:
        row.pop("name", None)
    if "weight_dropped" in codes:
        row.pop("weight", None)
    if "text_as_part" in codes and isinstance(content, str):
        row["content"] = [{"type": "text", "text": content}]
    if "text_parts_joined" in codes and isinstance(content, list) and all("text" in part for part in content):
        row["content"] = content = "\n\n".join(part["text"] for part in content)
    if "empty_content_dropped" in codes and row.get("tool_calls") and not "".join(texts(content, "content")):
        row.pop("content", None)
    if "tool_ids_rewritten" in codes and "tool_call_id" in row:
        row["tool_call_id"] = numbers.setdefault(row["tool_call_id"], len(numbers))
