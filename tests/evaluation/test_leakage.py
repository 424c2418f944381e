"""Held-out rows that were trained on, or test less than they seem to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftbridge.errors import DataError
from ftbridge.evaluation.held_out import held_out_chats
from ftbridge.evaluation.leakage import Leak, leaks_into
from ftbridge.evaluation.row_keys import taken_out
from ftbridge.model import Spec
from small_data import write_rows

LONG = "the parcel with the blue lamp that I ordered in the first week of May has not come yet and nobody answers me"


def chat(question: str, answer: str, system: str = "") -> dict[str, Any]:
    first = [{"role": "system", "content": system}] if system else []
    return {"messages": [*first, {"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def spec(training: Path, **reading: Any) -> Spec:
    return Spec(target="local:tiny", data=training, **reading)


def leaks(tmp_path: Path, training: list[Any], held_out: list[Any]) -> list[Leak]:
    trained, held = (
        write_rows(tmp_path / name, rows) for name, rows in (("train.jsonl", training), ("held.jsonl", held_out))
    )
    return leaks_into(held_out_chats(held), held, spec(trained))


def test_rows_that_are_new_are_no_leak(tmp_path: Path) -> None:
    system = "You answer questions about parcels, in one short sentence, as politely as you can, and never guess."
    training = [chat(f"Where is parcel {n}?", f"In town {n}.", system) for n in range(40)]
    held_out = [chat(f"Has my money for lamp {n} been returned?", f"Yes, on day {n}.", system) for n in range(8)]
    assert leaks(tmp_path, training, held_out) == []


def test_rows_and_questions_that_were_trained_are_counted_with_their_lines(tmp_path: Path) -> None:
    training = [chat(f"{LONG} {n} {'now' * n}", f"a{n}") for n in range(6)]
    held_out = [training[4], chat(training[2]["messages"][0]["content"], "another"), chat(f"No, {LONG} 5", "a7")]
    found = leaks(tmp_path, training, [chat("something else", "a8"), *held_out])
    assert [(leak.code, leak.count, leak.lines) for leak in found] == [
        ("trained_rows", 1, (2,)),
        ("trained_questions", 1, (3,)),
        ("near_trained_rows", 1, (4,)),
    ]


@pytest.mark.parametrize("copied", [False, True])
def test_the_training_file_itself_is_told_by_its_name_or_by_its_rows(tmp_path: Path, copied: bool) -> None:
    rows = [chat(f"q{n}", f"a{n}") for n in range(12)]
    held = write_rows(tmp_path / "held.jsonl", reversed(rows))
    training = write_rows(tmp_path / "train.jsonl", rows) if copied else held
    [leak] = leaks_into(held_out_chats(held), held, spec(training))
    assert (leak.code, leak.count, len(leak.lines)) == ("training_file", 12, 10)


def test_a_training_file_is_read_as_the_job_read_it(tmp_path: Path) -> None:
    training = write_rows(tmp_path / "train.jsonl", [{"Frage": f"q{n}", "Antwort": f"a{n}"} for n in range(12)])
    held = write_rows(tmp_path / "held.jsonl", [chat("q3", "a3"), chat("new", "new")])
    columns = {"Frage": "prompt", "Antwort": "completion"}
    found = leaks_into(held_out_chats(held), held, spec(training, map=columns))
    assert [(leak.code, leak.lines) for leak in found] == [("trained_rows", (1,))]


def test_labels_of_one_side_only_are_named(tmp_path: Path) -> None:
    training = [chat(f"ticket {n}", ("late", "lost", "broken")[n % 3]) for n in range(30)]
    held_out = [chat(f"letter {n}", ("late", "lost", "refund")[n % 3]) for n in range(6)]
    found = {leak.code: leak for leak in leaks(tmp_path, training, held_out)}
    assert found["labels_not_trained"].labels == ("refund",)
    assert found["labels_not_trained"].lines == (3, 6)
    assert found["labels_not_held_out"].labels == ("broken",)


def test_answers_that_are_texts_are_no_labels(tmp_path: Path) -> None:
    training = [chat(f"ticket {n}", f"text {n}") for n in range(30)]
    assert leaks(tmp_path, training, [chat("letter", "another text")]) == []


@pytest.mark.parametrize("content", [None, "no JSON\n"])
def test_a_training_file_that_cannot_be_read_is_said_with_the_reason(tmp_path: Path, content: str | None) -> None:
    held, training = write_rows(tmp_path / "held.jsonl", [chat("q", "a")]), tmp_path / "train.jsonl"
    if content:
        training.write_text(content, "utf-8")
    [leak] = leaks_into(held_out_chats(held), held, spec(training))
    assert leak.code == "not_checked"
    assert leak.reason


def test_rows_are_clustered_by_a_key_beside_what_they_teach(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "held.jsonl", [{**chat(f"q{n}", "a"), "document": n // 2} for n in range(4)])
    file.write_text("\n" + file.read_text("utf-8"), "utf-8")
    with taken_out(file, "document", tmp_path) as (read, values):
        assert [*held_out_chats(read)] == [2, 3, 4, 5]
        assert str(read) == str(file)
    assert values == {2: "0", 3: "0", 4: "1", 5: "1"}
    with (
        pytest.raises(DataError, match="line 2: the row has no key 'documents'") as problem,
        taken_out(file, "documents", tmp_path),
    ):
        pass
    assert "document" in problem.value.hint


def test_rows_are_clustered_by_a_key_in_a_key_and_by_a_column(tmp_path: Path) -> None:
    nested = write_rows(tmp_path / "nested.jsonl", [{**chat("q", "a"), "meta": {"thread": ["x", 1]}}])
    with taken_out(nested, "meta.thread", tmp_path) as (read, values):
        assert (values, len(held_out_chats(read))) == ({1: '["x",1]'}, 1)
    table = tmp_path / "held.csv"
    table.write_text("prompt,completion,document\nq,a,letter\n", "utf-8")
    with taken_out(table, "document", tmp_path) as (read, values):
        assert (read, [*values.values()]) == (table, ['"letter"'])
