"""Of several samples the best is kept, by a grader, a metric or a judge, within a limit of cost."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from distillation.made_files import Prompts, asked, lines, reasons, said
from ftbridge import Bridge
from ftbridge.errors import DataError, OverBudget, UsageError
from scripted_teacher import TEACHER, Teacher

WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
THINK = {"message": {"content": "4", "reasoning_content": "Two and two."}}


def test_the_best_of_several_samples_is_kept(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    grades = {"poor": 0.2, "good": 0.9, "as good": 0.9, "bad": 0.1}
    source = f"def grade(sample, item):\n    return {grades}[sample['output_text']]\n"
    answers = {"one": ["poor", "good", "as good"], "two": ["bad", "poor", "bad"]}
    teacher.answer = lambda question, times: answers[question][times]
    grader = {"type": "python", "name": "own", "source": source}
    file = prompts("one", "two")
    made = bridge.distill(file, TEACHER, "data.jsonl", samples=3, grader=grader, minimum=0.5)
    assert lines(made.out) == [{"messages": [asked("one"), said("good")]}]
    assert (made.mean_score, lines(made.provenance)[0]["score"], lines(made.provenance)[0]["sample"]) == (0.9, 0.9, 1)
    below = [(2, number, "below_minimum") for number in range(3)]
    assert reasons(made) == [(1, 0, "below_minimum"), (1, 2, "worse_sample"), *below]
    assert [row["score"] for row in lines(made.rejects)] == [0.2, 0.9, 0.1, 0.2, 0.1]
    assert {body["temperature"] for body in teacher.requests} == {1.0}


def test_a_metric_compares_with_the_answer_or_the_reference_of_the_file(
    bridge: Bridge, teacher: Teacher, prompts: Prompts
) -> None:
    teacher.answer = lambda _question, times: ["5", "4"][times]
    task = {"messages": [asked("3+1")], "reference": {"role": "assistant", "content": "4"}}
    file = prompts({"messages": [asked("2+2"), said("4")]}, task)
    made = bridge.distill(file, TEACHER, "data.jsonl", samples=2, metric="exact")
    assert [row["messages"][-1] for row in lines(made.out)] == [said("4"), said("4")]
    with pytest.raises(DataError, match="line 2 has no answer"):
        bridge.distill(prompts({"prompt": "a", "completion": "b"}, "bare"), TEACHER, "new.jsonl", metric="exact")


def test_several_samples_without_a_score_are_all_kept_but_equal_ones(
    bridge: Bridge, teacher: Teacher, prompts: Prompts
) -> None:
    teacher.answer = lambda _question, times: ["a", "b", "a"][times]
    made = bridge.distill(prompts("one"), TEACHER, "data.jsonl", samples=3)
    assert [row["messages"][-1]["content"] for row in lines(made.out)] == ["a", "b"]
    assert reasons(made) == [(1, 2, "same_answer")]


def test_what_a_grader_cannot_grade_is_no_row(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    teacher.answer = lambda question, _times: question
    source = "def grade(sample, item):\n    return 1 / len(sample['output_text'].strip('x'))\n"
    grader = {"type": "python", "name": "own", "source": source}
    made = bridge.distill(prompts("x", "y"), TEACHER, "data.jsonl", grader=grader)
    assert reasons(made) == [(1, 0, "not_graded")]
    assert "ZeroDivisionError" in lines(made.rejects)[0]["detail"]


def test_a_judge_is_a_target_and_its_verdict_is_not_paid_for_twice(
    bridge: Bridge, teacher: Teacher, prompts: Prompts
) -> None:
    grader = {
        "type": "score_model",
        "name": "judge",
        "model": "gpt-4o",
        "input": [{"role": "user", "content": "judge {{sample.output_text}}"}],
    }
    teacher.answer = lambda question, times: (
        json.dumps({"steps": [], "result": 0.7 if "0" in question else 0.3})
        if question.startswith("judge")
        else f"{times}"
    )
    file = prompts("one", "two")
    with pytest.raises(UsageError, match="who judges is no target"):
        bridge.distill(file, TEACHER, "data.jsonl", samples=2, grader=grader)
    assert not teacher.requests, "nothing is asked before the judge is known"
    for _time in range(2):
        made = bridge.distill(file, TEACHER, "data.jsonl", samples=2, grader=grader, judge=TEACHER)
        assert (made.mean_score, made.rejected) == (0.7, {"worse_sample": 2})
        assert len(teacher.requests) == 4 + 2, "two verdicts, since equal answers are judged once"


def test_the_cost_is_told_before_and_limited(
    open_bridge: Callable[..., Bridge], teacher: Teacher, prompts: Prompts
) -> None:
    priced = {
        "provider": "openai",
        "models": [TEACHER.partition(":")[2]],
        "base_input_usd_per_million_tokens": 1000.0,
        "base_output_usd_per_million_tokens": 4000.0,
        "source": "our contract",
        "as_of": "2026-11-01",
        "confidence": "official",
    }
    bridge, file = open_bridge(catalogue={"row": [priced]}), prompts("one", "two")
    plan = bridge.distill(file, TEACHER, "data.jsonl", max_tokens=10, samples=2, dry_run=True)
    assert (plan.questions, plan.rows, teacher.requests) == (4, 0, [])
    assert plan.estimate_usd is not None
    assert 0.16 < plan.estimate_usd < 0.3
    with pytest.raises(OverBudget, match="nothing was asked"):
        bridge.distill(file, TEACHER, "data.jsonl", max_tokens=10, samples=2, max_cost_usd=0.1)
    made = bridge.distill(file, TEACHER, "data.jsonl", max_tokens=10, samples=2, max_cost_usd=1)
    assert any("4 questions may cost $" in warning for warning in bridge.warnings)
    assert made.answers is not None
    assert made.answers.cost_usd is not None
    assert made.answers.cost_usd > 0.05
    assert bridge.distill(file, TEACHER, "data.jsonl", max_tokens=10, samples=2).questions == 0


def test_an_unknown_price_is_told_and_no_limit_can_be_kept(bridge: Bridge, teacher: Teacher, prompts: Prompts) -> None:
    bridge.distill(prompts("one"), TEACHER, "data.jsonl")
    assert any("how much is not known" in warning for warning in bridge.warnings)
    with pytest.raises(OverBudget, match="is not known"):
        bridge.distill(prompts("two"), TEACHER, "data.jsonl", max_cost_usd=1)
