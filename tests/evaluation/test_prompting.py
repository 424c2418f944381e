"""What a base model is told beside a question: a prompt, and rows of the training file as examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import DataError, InputError
from ftbridge.evaluation.prompting import choose_shots, prompted
from ftbridge.model import Spec
from small_data import write_rows


def row(*turns: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns], **more}


def chat(*turns: tuple[str, str]) -> Chat:
    return msgspec.convert(row(*turns), Chat)


def turns(chat: Chat) -> list[tuple[str, Any]]:
    return [(message["role"], message["content"]) for message in msgspec.to_builtins(chat.messages)]


QUESTION = chat(("system", "Sort."), ("user", "q"), ("assistant", "a"))


def test_a_prompt_takes_the_place_of_the_rows_own_system_message() -> None:
    assert turns(prompted(QUESTION, "Be brief.", [])) == [("system", "Be brief."), ("user", "q"), ("assistant", "a")]
    assert turns(prompted(chat(("user", "q")), "Be brief.", [])) == [("system", "Be brief."), ("user", "q")]
    assert prompted(QUESTION, None, []) == QUESTION


def test_examples_stand_between_the_system_message_and_the_question_and_are_not_trained() -> None:
    shot = chat(("system", "Sort."), ("user", "q1"), ("assistant", "a1"))
    told = prompted(QUESTION, None, [shot])
    expected = [("system", "Sort."), ("user", "q1"), ("assistant", "a1"), ("user", "q"), ("assistant", "a")]
    assert turns(told) == expected
    weights = [message.get("weight") for message in msgspec.to_builtins(told.messages)]
    assert weights == [None, None, 0, None, None]


def spec(training: Path, **reading: Any) -> Spec:
    return Spec(target="local:tiny", data=training, **reading)


def test_examples_are_read_as_the_job_read_them(tmp_path: Path) -> None:
    training = write_rows(tmp_path / "train.jsonl", [{"Frage": "q1", "Antwort": "a1"}])
    columns = {"Frage": "prompt", "Antwort": "completion"}
    [shot] = choose_shots(spec(training, map=columns), [QUESTION], 1).values()
    assert [message.content for message in shot.messages] == ["q1", "a1"]


def test_examples_are_drawn_from_usable_rows_alike_each_time(tmp_path: Path) -> None:
    usable = [row(("user", f"q{n}"), ("assistant", f"a{n}")) for n in range(20)]
    tools = [{"type": "function", "function": {"name": "look"}}]
    held_out, with_tools = row(("user", "q"), ("assistant", "b")), row(("user", "t"), ("assistant", "t"), tools=tools)
    training = write_rows(tmp_path / "train.jsonl", [held_out, with_tools, *usable])
    shots = choose_shots(spec(training), [QUESTION], 4)
    assert len(shots) == 4
    assert all(line > 2 for line in shots), "neither the held-out question nor the one with tools"
    assert choose_shots(spec(training), [QUESTION], 4) == shots
    assert [*choose_shots(spec(training), [QUESTION], 2)] == [*shots][:2]


def test_too_few_usable_rows_and_a_file_that_is_gone_are_said(tmp_path: Path) -> None:
    training = write_rows(tmp_path / "train.jsonl", [row(("user", "q"), ("assistant", "a"))])
    with pytest.raises(DataError, match="has 0 rows that can be examples, and 1 are wanted"):
        choose_shots(spec(training), [QUESTION], 1)
    with pytest.raises(InputError, match="is not there"):
        choose_shots(spec(tmp_path / "gone.jsonl"), [QUESTION], 1)
