"""A teacher's answers become rows that pass every check; what becomes none is written down, with the reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from distillation.made_files import Prompts, asked, called, lines, reasons, said
from ftbridge import Bridge
from ftbridge.errors import DataError, FtbridgeError, JobNotFound, Unsupported
from scripted_teacher import TEACHER, Teacher

WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
THINK = {"message": {"content": "4", "reasoning_content": "Two and two."}}


def test_each_answer_is_a_row_that_says_where_it_is_from(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    before = datetime.now(UTC)
    made = bridge.distill(prompts("one", "two"), TEACHER, Path("data.jsonl"))
    assert lines(made.out) == [
        {"messages": [asked("one"), said("The answer to one")]},
        {"messages": [asked("two"), said("The answer to two")]},
    ]
    report = bridge.check("data.jsonl", [])
    assert (report.errors, report.examples) == (0, 2)
    first, second = lines(made.provenance)
    assert (first["teacher"], first["sample"], first["prompt_line"], second["prompt_line"]) == (TEACHER, 0, 1, 2)
    assert before <= datetime.fromisoformat(first["answered_at"]) <= datetime.now(UTC)
    assert lines(made.rejects) == []


def test_chats_with_and_without_an_answer_and_rows_of_other_formats_are_prompts(
    bridge: Bridge, teacher: Teacher, prompts: Prompts
) -> None:
    rows = [
        {"messages": [asked("open")]},
        {"messages": [asked("first"), said("old"), asked("second"), said("not taught")]},
        {"conversations": [{"from": "human", "value": "shared"}]},
        {"prompt": "with", "completion": "not taught"},
    ]
    made = bridge.distill(prompts(*rows), TEACHER, "data.jsonl")
    assert [[message["content"] for message in row["messages"]] for row in lines(made.out)] == [
        ["open", "The answer to open"],
        ["first", "old", "second", "The answer to second"],
        ["shared", "The answer to shared"],
        ["with", "The answer to with"],
    ]
    assert lines(made.out)[1]["messages"][1]["weight"] == 0, "an answer that is not the teacher's is not trained"
    assert "not taught" not in json.dumps(teacher.requests)


def test_equal_prompts_are_asked_once_and_counted(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    row = {"messages": [asked("one"), said("x")]}
    made = bridge.distill(prompts("one", row, "two", "one"), TEACHER, "data.jsonl")
    assert (made.prompts, made.duplicates, made.rows, len(teacher.requests)) == (4, 2, 2, 2)


def test_nearly_equal_prompts_are_asked_once_on_request(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    pytest.importorskip("rensa")
    long = "Please tell me in a few words how I can send back the shoes that I bought at your shop last week"
    file = prompts(long, long + " already", "Something else altogether")
    assert bridge.distill(file, TEACHER, "all.jsonl").rows == 3
    made = bridge.distill(file, TEACHER, "data.jsonl", near_duplicates=True)
    assert (made.near_duplicates, made.rows) == (1, 2)


def test_what_is_no_answer_is_in_the_rejects(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    answers: dict[str, Any] = {
        "cut": {"message": {"content": "and so"}, "finish_reason": "length"},
        "bad": {"message": {"content": None, "refusal": "I cannot help with that."}},
        "filtered": {"message": {"content": ""}, "finish_reason": "content_filter"},
        "silent": " \n",
    }
    teacher.answer = lambda question, _times: answers.get(question, "fine")
    made = bridge.distill(prompts("good", *answers), TEACHER, "data.jsonl")
    assert made.rejected == {"truncated": 1, "refused": 2, "empty": 1}
    assert reasons(made) == [(2, 0, "truncated"), (3, 0, "refused"), (4, 0, "refused"), (5, 0, "empty")]
    cut, bad = lines(made.rejects)[:2]
    assert cut["messages"] == [asked("cut"), said("and so")]
    assert (bad["detail"], bad["messages"]) == ("I cannot help with that.", [asked("bad")])
    assert made.answers is not None
    assert (made.answers.truncated, made.answers.refused) == (1, 2)


def test_an_error_of_one_prompt_is_in_the_rejects(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    teacher.vendors["openai"].faults.add("chat=400")
    made = bridge.distill(prompts("one", "two"), TEACHER, "data.jsonl")
    [one] = lines(made.rejects)
    assert one["reason"] == "failed"
    assert "400" in one["detail"]


def test_no_file_of_rows_where_no_answer_is_one(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    Path("data.jsonl").write_text("what was there")
    teacher.answer = lambda _question, _times: ""
    with pytest.raises(DataError, match=r"no answer of .* became a row: 2 empty"):
        bridge.distill(prompts("one", "two"), TEACHER, "data.jsonl")
    assert Path("data.jsonl").read_text() == "what was there"
    assert len(lines(Path("data.rejects.jsonl"))) == 2


@pytest.mark.parametrize("given", [THINK, "<think>\nTwo and two.\n</think>\n\n4"])
def test_reasoning_is_left_out_unless_it_is_to_be_kept(
    bridge: Bridge, teacher: Teacher, prompts: Prompts, given: Any
) -> None:
    teacher.answer = lambda _question, _times: given
    file = prompts("2+2")
    dropped = bridge.distill(file, TEACHER, "data.jsonl")
    assert lines(dropped.out) == [{"messages": [asked("2+2"), said("4")]}]
    assert dropped.reasoning_dropped == 1
    kept = bridge.distill(file, TEACHER, "kept.jsonl", reasoning="keep")
    assert lines(kept.out)[0]["messages"][1] == said("4") | {"reasoning_content": "Two and two."}
    assert (kept.reasoning_dropped, kept.answers and kept.answers.from_ledger) == (0, 1)


def test_tool_calls_are_kept_where_they_fit_the_tools(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    answers = {"fits": called("{}"), "broken": called('{"city'), "unknown": called("{}", "time")}
    teacher.answer = lambda question, _times: answers[question]
    rows = [{"messages": [asked(question)], "tools": [WEATHER]} for question in answers]
    made = bridge.distill(prompts(*rows), TEACHER, "data.jsonl")
    [row] = lines(made.out)
    assert row["tools"] == [WEATHER]
    assert row["messages"][1]["tool_calls"] == answers["fits"]["message"]["tool_calls"]
    assert reasons(made) == [(2, 0, "invalid"), (3, 0, "invalid")]
    assert "not a JSON object" in lines(made.rejects)[0]["detail"]


def test_tools_are_refused_where_answers_are_text_alone(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    with pytest.raises(Unsupported, match="local gives an answer as text alone, and line 2 is about tool calls"):
        bridge.distill(prompts("one", {"messages": [asked("two")], "tools": [WEATHER]}), "local:tiny", "data.jsonl")


def test_the_system_message_of_the_teacher_is_taught_or_hidden(
    bridge: Bridge, teacher: Teacher, prompts: Prompts
) -> None:
    own = {"role": "system", "content": "own"}
    file = prompts("one", {"messages": [own, asked("two")]})
    system = {"role": "system", "content": "Be brief."}
    shown = bridge.distill(file, TEACHER, "shown.jsonl", system="Be brief.")
    assert [row["messages"][:-1] for row in lines(shown.out)] == [[system, asked("one")], [system, asked("two")]]
    hidden = bridge.distill(file, TEACHER, "hidden.jsonl", system="Be brief.", hide_system=True)
    assert [row["messages"][:-1] for row in lines(hidden.out)] == [[asked("one")], [own, asked("two")]]
    assert [body["messages"][0] for body in teacher.requests] == [system] * 2, "the same questions"
    assert lines(hidden.provenance)[0]["system_hidden"] is True


def test_a_job_can_be_the_teacher(bridge: Bridge, teacher: Teacher, prompts: Prompts, data: Path) -> None:
    job = bridge.wait(bridge.submit(data, TEACHER, name="ours"))
    made = bridge.distill(prompts("one"), "ours", "data.jsonl")
    assert (made.teacher, lines(made.provenance)[0]["model"]) == (job.id, job.result and job.result.model)
    with pytest.raises(JobNotFound):
        bridge.distill(prompts("one"), "nobody", "data.jsonl")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("[1]", "not an object"),
        ('{"text": "a"}', "neither messages nor a prompt"),
        ('{"prompt": ""}', "empty"),
        ('{"prompt": "x", "score": 1}', "no rule says"),
        ('{"messages": [{"role": "system", "content": "x"}]}', "waits for an answer"),
        ('{"messages": [{"role": "assistant", "content": "x"}]}', "waits for an answer"),
        ('{"prompt": "\\ud800"}', "surrogate"),
        ('{"prompt": "x", "reference": "y"}', "not an object"),
        ('{"preferred_output": 3, "input": 4}', "must be a list"),
        ('{"prompt": ' + "[" * 2000 + "]" * 2000 + "}", "nested too deeply"),
        ("", "no prompts"),
    ],
)
def test_a_row_that_asks_nothing_is_refused_by_line_before_anything_is_asked(
    bridge: Bridge, teacher: Teacher, tmp_path: Path, row: str, problem: str
) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text(('{"prompt": "fine"}\n' if row else "") + row + "\n")
    with pytest.raises(DataError, match=problem) as caught:
        bridge.distill(file, TEACHER, "data.jsonl")
    assert "line 2" in caught.value.message or not row
    assert teacher.requests == []


def test_hostile_prompts_and_answers_come_through_as_they_are(
    bridge: Bridge, teacher: Teacher, prompts: Prompts
) -> None:
    questions = ["\x1b[31mred\u202e", "{{item.reference}} $(rm -rf)", "\u2028line\U0001f600", "</think>", "<|im_end|>"]
    teacher.answer = lambda question, _times: question
    made = bridge.distill(prompts(*questions), TEACHER, "data.jsonl")
    assert [row["messages"] for row in lines(made.out)] == [[asked(one), said(one)] for one in questions]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"samples": 2, "temperature": 0}, "the same answer"),
        ({"minimum": 0.5}, "nothing scores"),
        ({"hide_system": True}, "no system message to hide"),
        ({"grader": {}, "metric": "exact"}, "a grader and a metric"),
        ({"metric": "exact", "judge": TEACHER}, "no grader asks one"),
        ({"samples": 0}, "no answers"),
        ({"out": "-"}, "standard output"),
        ({"out": "nowhere/data.jsonl"}, "no folder"),
        ({"out": "."}, "folder"),
        ({"rejects": "data.jsonl"}, "the same name"),
        ({"out": "../prompts.jsonl"}, "the same name"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_asked(
    bridge: Bridge, teacher: Teacher, prompts: Prompts, options: dict[str, Any], problem: str
) -> None:
    file = prompts({"prompt": "one", "completion": "1"})
    with pytest.raises(FtbridgeError, match=problem):
        bridge.distill(file, TEACHER, options.pop("out", "data.jsonl"), **options)
    assert teacher.requests == []


def test_samples_with_a_seed_have_different_ones(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    teacher.answer = lambda _question, times: f"{times}"
    made = bridge.distill(prompts("one"), TEACHER, "data.jsonl", samples=3, seed=7)
    assert [body["seed"] for body in teacher.requests] == [7, 8, 9]
    assert [row["options"]["seed"] for row in lines(made.provenance)] == [7, 8, 9]
