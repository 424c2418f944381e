"""Graders that ask another model: what it is asked, and what its answer is worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ftbridge.errors import AuthenticationFailed, RateLimited, UsageError
from ftbridge.graders import Grade, GradingContext, check_runnable, parse_grader, run_grader, sample_of

SCORE: dict[str, Any] = {
    "type": "score_model",
    "name": "my_score_model",
    "input": [
        {"role": "system", "content": "You are an expert grader."},
        {"role": "user", "content": "Reference: {{ item.reference_answer }}. Model answer: {{ sample.output_text }}"},
    ],
    "pass_threshold": 0.5,
    "model": "o4-mini-2025-04-16",
    "range": [0, 1],
    "sampling_params": {"max_completions_tokens": 32768, "top_p": 1, "reasoning_effort": "medium"},
}
"""The guide to graders, "Score model graders"."""
LABEL: dict[str, Any] = {
    "type": "label_model",
    "name": "tone",
    "model": "judge",
    "input": [{"role": "user", "content": "{{sample.output_text}}"}],
    "labels": ["kind", "neutral", "rude"],
    "passing_labels": ["kind", "neutral"],
}


class Judge:
    """A model that always answers the same, and keeps what it was asked."""

    def __init__(self, content: Any, **choice: Any) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        message = {"role": "assistant", "content": content if isinstance(content, str | None) else json.dumps(content)}
        self.choice = {
            "index": 0,
            "message": {**message, **choice.pop("message", {})},
            "finish_reason": "stop",
            **choice,
        }

    def __call__(self, model: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append((model, body))
        return {"model": model, "choices": [self.choice], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}


def run(grader: dict[str, Any], complete: Callable[..., Any]) -> Grade:
    item = {"reference_answer": 1.0}
    return run_grader(parse_grader(grader), item, sample_of("0.9"), GradingContext(complete=complete))


def test_the_judge_is_asked_with_the_rows_texts_and_the_documented_format() -> None:
    judge = Judge({"steps": [], "result": 0.9})
    run(SCORE, judge)
    (model, body) = judge.asked[0]
    assert model == "o4-mini-2025-04-16"
    assert body["messages"][1] == {"role": "user", "content": "Reference: 1.0. Model answer: 0.9"}
    assert body["max_completion_tokens"] == 32768
    assert (body["top_p"], body["reasoning_effort"]) == (1, "medium")
    assert "temperature" not in body
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["result"] == {"type": "number"}
    assert schema["properties"]["steps"]["items"]["required"] == ["description", "conclusion"]


def test_parts_of_a_message_are_those_of_chat_completions() -> None:
    content = [
        "{{sample.output_text}}",
        {"type": "input_text", "text": "a"},
        {"type": "output_text", "text": "b"},
        {"type": "input_image", "image_url": "https://x/{{item.reference_answer}}.png", "detail": "low"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]
    judge = Judge({"result": 1})
    run({**SCORE, "input": [{"role": "user", "content": content}]}, judge)
    assert judge.asked[0][1]["messages"][0]["content"] == [
        {"type": "text", "text": "0.9"},
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
        {"type": "image_url", "image_url": {"url": "https://x/1.0.png", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]


SCORES: list[tuple[Any, tuple[float, float] | None, float]] = [
    ({"steps": [], "result": 0.9}, (0, 1), 0.9),
    ({"result": 7}, (1, 7), 7),
    ({"result": 1.5}, (0, 1), 1),
    ({"result": -3}, (0, 1), 0),
    ({"result": 12}, (-10, 10), 10),
    ({"result": 2}, None, 1),
    ("0.25", (0, 1), 0.25),
]


@pytest.mark.parametrize(("answer", "limits", "score"), SCORES)
def test_a_score_is_cut_to_the_range(answer: Any, limits: tuple[float, float] | None, score: float) -> None:
    grade = run({**SCORE, "range": limits}, Judge(answer))
    assert (grade.score, grade.error) == (score, None)
    assert grade.passed == (score >= 0.5)


def test_what_the_judge_says_and_used_is_kept() -> None:
    steps = [{"description": "compared", "conclusion": "equal"}]
    details = run(SCORE, Judge({"steps": steps, "result": 1})).details
    assert details["steps"] == steps
    assert details["usage"]["completion_tokens"] == 7


JUNK: dict[str, Any] = {
    "prose": "I'd say 0.9 of 1",
    "a number in prose": "Score: 1",
    "a fence": '```json\n{"result": 1}\n```',
    "nothing": "",
    "no content": None,
    "no result": {"score": 1},
    "a text": {"result": "0.9"},
    "true": {"result": True},
    "null": {"result": None},
    "not a number": '{"result": NaN}',
    "infinite": '{"result": 1e999}',
    "a list": [1],
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("name", JUNK)
def test_an_answer_without_a_score_is_an_error_of_that_row(name: str) -> None:
    grade = run(SCORE, Judge(JUNK[name]))
    assert (grade.score, grade.passed) == (0, None)
    assert grade.error is not None
    assert grade.error.code == "model_grader_parse_error"
    assert len(grade.error.message) < 200


def test_an_answer_that_was_cut_off_says_what_to_raise() -> None:
    grade = run(SCORE, Judge('{"steps": [', finish_reason="length"))
    assert grade.error is not None
    assert "raise max_completions_tokens" in grade.error.message


@pytest.mark.parametrize("choice", [{"message": {"refusal": "No."}}, {"finish_reason": "content_filter"}])
def test_a_refusal_is_an_error_of_its_own(choice: dict[str, Any]) -> None:
    grade = run(SCORE, Judge("", **choice))
    assert grade.error is not None
    assert grade.error.code == "model_grader_refusal_error"


@pytest.mark.parametrize(("label", "score"), [("kind", 1), ("neutral", 1), ("rude", 0)])
def test_a_label_passes_or_does_not(label: str, score: float) -> None:
    judge = Judge({"steps": [], "result": label})
    grade = run(LABEL, judge)
    assert (grade.score, grade.passed, grade.error) == (score, bool(score), None)
    schema = judge.asked[0][1]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["result"] == {"type": "string", "enum": ["kind", "neutral", "rude"]}


@pytest.mark.parametrize(
    "answer", [{"result": "Kind"}, {"result": "friendly"}, {"result": 1}, {"result": ["kind"]}, "kind"]
)
def test_a_label_that_does_not_exist_is_an_error_of_that_row(answer: Any) -> None:
    grade = run(LABEL, Judge(answer))
    assert grade.error is not None
    assert grade.error.code == "model_grader_parse_error"


def test_a_judge_that_does_not_answer_costs_one_row_and_a_wrong_key_ends_the_run() -> None:
    def busy(*_: Any) -> Any:
        raise RateLimited("too many requests", provider="openai", retry_after=1)

    def refused(*_: Any) -> Any:
        raise AuthenticationFailed("wrong key", provider="openai")

    grade = run(SCORE, busy)
    assert grade.error is not None
    assert grade.error.code == "model_grader_server_error"
    with pytest.raises(AuthenticationFailed):
        run(SCORE, refused)


def test_without_a_model_to_ask_a_judge_is_refused_before_any_row() -> None:
    with pytest.raises(UsageError, match="asks another model"):
        check_runnable(parse_grader({**LABEL}), GradingContext())
