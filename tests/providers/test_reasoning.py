"""Together trains some models on reasoning, and then only the last answer of a chat: what differs is told."""

from __future__ import annotations

import pytest

from ftbridge.dataset.canonical.example import Assistant, Chat, Example, Preference, User
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Method
from ftbridge_providers.together.format import TogetherFormat
from ftbridge_providers.together.reasoning import is_reasoning_model

HELLO, HI = User("Hello"), Assistant("Hi", reasoning_content="They greet me.")


def converted(*examples: Example, model: str = "Qwen/Qwen3-8B", method: Method = Method.SFT) -> Diagnostics:
    converter, diagnostics = TogetherFormat("together:m", method, model), Diagnostics()
    for diagnostics.line, example in enumerate(examples, start=1):
        assert converter.convert(example, diagnostics) is example
    return diagnostics


def codes(diagnostics: Diagnostics) -> list[tuple[int, str, str]]:
    return [(found.line, found.code, found.path) for found in diagnostics.findings]


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("Qwen/Qwen3-8B", True),
        ("Qwen/Qwen3-30B-A3B-Base", True),
        ("Qwen/Qwen3-Next-80B-A3B-Thinking", True),
        ("Qwen/Qwen3.5-0.8B", True),
        ("zai-org/GLM-4.6", True),
        ("google/gemma-4-31B-it", True),
        ("openai/gpt-oss-20b", True),
        ("Qwen/Qwen3-VL-8B-Instruct", False),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", False),
        ("Qwen/Qwen2.5-7B-Instruct", False),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct-Reference", False),
        ("ft-8f2a1c", False),
    ],
)
def test_the_reasoning_models_are_those_of_togethers_page(model: str, reasons: bool) -> None:
    assert is_reasoning_model(model) is reasons


def test_a_chat_of_one_reasoned_answer_is_trained_as_it_stands() -> None:
    diagnostics = converted(Chat([HELLO, HI]))
    assert (codes(diagnostics), diagnostics.changes) == ([], [])


def test_earlier_answers_that_are_not_trained_are_a_change() -> None:
    assert converted(Chat([HELLO, HI, HELLO, HI])).changes == ["earlier_answers_not_trained"]
    assert converted(Chat([HELLO, HI, HELLO, HI]), model="Qwen/Qwen2.5-7B-Instruct").changes == []
    untrained = Assistant("Hi", weight=0)
    assert converted(Chat([HELLO, untrained, HELLO, HI])).changes == []


def test_a_last_answer_of_weight_0_leaves_nothing_to_train() -> None:
    untrained = Assistant("Hi", weight=0, reasoning_content="They greet me.")
    assert codes(converted(Chat([HELLO, HI, HELLO, untrained]))) == [(1, "nothing_trained", "$.messages[3].weight")]


def test_answers_without_reasoning_are_told_once_for_a_reasoning_model() -> None:
    bare = Chat([HELLO, Assistant("Hi")])
    assert codes(converted(Chat([HELLO, HI]), bare, bare)) == [(2, "reasoning_missing", "$.messages[1]")]
    pair = Preference(Chat([HELLO]), [Assistant("Hi")], [Assistant("Go away.")])
    assert codes(converted(pair, pair, method=Method.DPO)) == [(1, "reasoning_missing", "$.preferred_output")]


def test_reasoning_for_a_model_that_is_not_listed_is_told_once() -> None:
    path = "$.messages[1].reasoning_content"
    chat = Chat([HELLO, HI])
    assert codes(converted(chat, chat, model="Qwen/Qwen2.5-7B-Instruct")) == [(1, "reasoning_not_listed", path)]
    assert codes(converted(chat, model="")) == []
