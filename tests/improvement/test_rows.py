"""When two inputs are the same question, and two answers the same answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftbridge.improvement.contradictions import contradictions, differ, near_contradictions
from ftbridge.improvement.inputs import Inputs
from ftbridge.improvement.labels import Labels
from ftbridge.improvement.rows import Row, answer_of, read_rows
from small_data import write_rows


def chat(*contents: Any, system: str | None = None, **keys: Any) -> dict[str, Any]:
    """A chat of these turns, the user's first."""
    turns = [{"role": ("user", "assistant")[n % 2], "content": content} for n, content in enumerate(contents)]
    return {"messages": [*([{"role": "system", "content": system}] if system else []), *turns], **keys}


def rows_of(tmp_path: Path, *rows: Any) -> list[Row]:
    return [row for _line, row in read_rows(write_rows(tmp_path / "some.jsonl", rows)) if row]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (chat("Is it late?", "yes"), chat("is it  late", "no")),
        (chat("Sort it.", '{"a": 1}'), chat("Sort it.", '{"a": 2}')),
        (chat("A", "b", "Is it late?", "yes"), chat("A", "b", "Is it late?", "no")),
    ],
)
def test_the_same_words_with_other_answers_contradict_each_other(tmp_path: Path, one: Any, other: Any) -> None:
    [found] = contradictions(Inputs(rows_of(tmp_path, one, other)))
    assert found.training == (1, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (chat("Is it late?", "yes"), chat("Is it late?", "Yes.")),
        (chat("Sort it.", '{"a": 1, "b": 2}'), chat("Sort it.", '{"b": 2,"a":1}')),
        (chat("Is it late?", "yes", system="In London."), chat("Is it late?", "no", system="In Tokyo.")),
        (chat("A", "b", "Is it late?", "yes"), chat("A", "c", "Is it late?", "no")),
        (chat("Order 17?", "yes"), chat("Order 18?", "no")),
    ],
)
def test_other_settings_numbers_and_spellings_are_no_contradiction(tmp_path: Path, one: Any, other: Any) -> None:
    inputs = Inputs(rows_of(tmp_path, one, other))
    assert [*contradictions(inputs), *near_contradictions(inputs)] == []


def test_the_same_question_about_another_image_is_another_question(tmp_path: Path) -> None:
    def asked(name: str, answer: str) -> Any:
        image = {"type": "image_url", "image_url": {"url": f"https://example.com/{name}.png"}}
        return chat([{"type": "text", "text": "What is it?"}, image], answer)

    inputs = Inputs(rows_of(tmp_path, asked("cat", "a cat"), asked("dog", "a dog")))
    assert [*contradictions(inputs), *near_contradictions(inputs)] == []


def test_answers_in_other_words_are_no_near_contradiction(tmp_path: Path) -> None:
    question = "Please tell me when the parcel that I ordered for my mother's birthday will arrive at her house"
    first = chat(f"{question}.", "It will arrive at her house on the day after tomorrow.")
    again = chat(f"{question}, please.", "On the day after tomorrow it will arrive at her house.")
    other = chat(f"Hi! {question}.", "We do not deliver there, and give you the money back.")
    inputs = Inputs(rows_of(tmp_path, first, again, other))
    assert [issue.training for issue in near_contradictions(inputs)] == [(1, 2, 3)]
    assert not differ(first["messages"][-1]["content"], again["messages"][-1]["content"])
    assert [*near_contradictions(Inputs(rows_of(tmp_path, first, again)))] == []


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[1, 2", '{"a": NaN}', "\ud800"])
def test_whatever_a_model_says_is_an_answer(text: str) -> None:
    assert answer_of(text, [])


def test_odd_tool_calls_are_compared_as_they_are() -> None:
    assert answer_of("", [{}]) == '[{"arguments": null, "tool": null}]'
    assert answer_of("", [{"function": {"name": "f", "arguments": '{"b":1, "a":2}'}}]) == answer_of(
        "", [{"id": "7", "function": {"name": "f", "arguments": {"a": 2, "b": 1}}}]
    )


def test_texts_are_no_labels_and_what_is_repeated_is(tmp_path: Path) -> None:
    texts = Labels(rows_of(tmp_path, *(chat(f"q{n}", f"answer {n}") for n in range(40))))
    assert texts.of("answer 3") == {}
    labels = Labels(rows_of(tmp_path, *(chat(f"q{n}", "yes" if n % 2 else "no") for n in range(40))))
    assert labels.of("maybe") == {"answer": "maybe"}
    assert [*labels.seldom("maybe")] == [("answer", "maybe", 0)]
    assert [*labels.seldom("yes")] == []
