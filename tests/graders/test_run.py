"""Graders give the values that OpenAI's guide to graders documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ftbridge.errors import MissingExtra, UsageError
from ftbridge.graders import Grade, GradingContext, check_runnable, parse_grader, run_grader, sample_of

CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_acceptors", "arguments": '{"smiles": "CCO", "most": [3]}'},
}
ITEM: dict[str, Any] = {
    "reference_answer": "Paris",
    "smiles": "CCO",
    "name": "John Doe",
    "email": "john.doe@gmail.com",
    "number": 1.5,
    "flag": True,
    "nothing": None,
    "answers": [{"text": "first"}, {"text": "last"}],
    "odd key": "odd",
    "with-dash": "dash",
}


@pytest.fixture
def context() -> Iterator[GradingContext]:
    with GradingContext() as context:
        yield context


def run(grader: Mapping[str, Any], answer: Any, context: GradingContext, item: Mapping[str, Any] = ITEM) -> Grade:
    return run_grader(parse_grader(grader), item, sample_of(answer), context)


def check(operation: str, reference: str = "{{item.reference_answer}}", given: str = "{{sample.output_text}}") -> Any:
    return {"type": "string_check", "name": "c", "operation": operation, "input": given, "reference": reference}


CHECKS: list[tuple[str, str, float]] = [
    ("eq", "Paris", 1),
    ("eq", "paris", 0),
    ("eq", "Paris ", 0),
    ("eq", "It is Paris.", 0),
    ("ne", "Paris", 0),
    ("ne", "paris", 1),
    ("ne", "Rome", 1),
    ("like", "It is Paris.", 1),
    ("like", "Paris", 1),
    ("like", "it is paris.", 0),
    ("like", "Par", 0),
    ("ilike", "it is PARIS.", 1),
    ("ilike", "Pari", 0),
    ("ilike", "Rome", 0),
]


@pytest.mark.parametrize(("operation", "answer", "score"), CHECKS)
def test_string_checks_are_1_or_0(operation: str, answer: str, score: float, context: GradingContext) -> None:
    assert run(check(operation), answer, context) == Grade(score=score, passed=bool(score))


TEMPLATES: dict[str, str] = {
    "{{item.name}}": "John Doe",
    "{{ item.name }}": "John Doe",
    "<{{item.name}}, {{item.email}}>": "<John Doe, john.doe@gmail.com>",
    "{{item.answers[0].text}}": "first",
    "{{ item.answers[-1]['text'] }}": "last",
    '{{item["odd key"]}}': "odd",
    "{{item.with-dash}}": "dash",
    "{{item.number}}": "1.5",
    "{{item.flag}}": "true",
    "{{item.nothing}}": "null",
    "{{item.answers[0]}}": '{"text": "first"}',
    "{{sample.output_tools[0].function.name}}": "get_acceptors",
    "{{sample.output_tools[0].function.arguments}}": '{"smiles": "CCO", "most": [3]}',
    "{{sample.output_tools[0].function.arguments.most[0]}}": "3",
    "{{sample.output_json.place.city}}": "Paris",
    "{{sample.output_json.list[1]}}": "b",
    "{{sample.output_text}}": '{"place": {"city": "Paris"}, "list": ["a", "b"]}',
    "{{sample.choices[0].message.role}}": "assistant",
    "{no template}": "{no template}",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_read_the_row_and_the_answer(template: str, context: GradingContext) -> None:
    text = '{"place": {"city": "Paris"}, "list": ["a", "b"]}'
    answer = {"role": "assistant", "content": text, "tool_calls": [CALL]}
    grader = check("eq", reference="{{item.wanted}}", given=template)
    assert run(grader, answer, context, {**ITEM, "wanted": TEMPLATES[template]}).score == 1


LACKING: list[tuple[str, str, str, str]] = [
    ("{{item.missing}}", "x", "invalid_variable_error", "the row has no {{item.missing}}"),
    ("{{item.name.first}}", "x", "invalid_variable_error", "the row has no {{item.name.first}}"),
    ("{{item.answers[2]}}", "x", "invalid_variable_error", "the row has no {{item.answers[2]}}"),
    (
        "{{sample.output_json.city}}",
        "Paris",
        "sample_parse_error",
        "the answer has no {{sample.output_json.city}} (it is",
    ),
    ("{{sample.output_json.city}}", "[]", "sample_parse_error", "the answer has no {{sample.output_json.city}}"),
    ("{{sample.output_tools[0].id}}", "x", "sample_parse_error", "the answer has no {{sample.output_tools[0].id}}"),
]


@pytest.mark.parametrize(("template", "answer", "code", "message"), LACKING)
def test_a_value_that_is_missing_is_an_error_of_that_row(
    template: str, answer: str, code: str, message: str, context: GradingContext
) -> None:
    grade = run(check("eq", given=template), answer, context)
    assert (grade.score, grade.passed) == (0, None)
    assert grade.error is not None
    assert grade.error.code == code
    assert grade.error.message.startswith(message)


def test_the_guides_grader_of_tool_calls(context: GradingContext) -> None:
    """The guide to graders, "Details on grading tool calls"."""
    name = check("eq", "{{sample.output_tools[0].function.name}}", "get_acceptors")
    arguments = check("eq", "{{sample.output_tools[0].function.arguments}}", '{"smiles": "{{item.smiles}}"}')
    grader = {
        "type": "multi",
        "graders": {"function_name": name, "arguments": arguments},
        "calculate_output": "0.5 * function_name + 0.5 * arguments",
    }

    def answered(arguments: str, name: str = "get_acceptors") -> Grade:
        call = {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
        return run(grader, {"role": "assistant", "content": None, "tool_calls": [call]}, context)

    assert answered('{"smiles": "CCO"}').score == 1
    assert answered('{"smiles":"CCO"}').score == 0.5
    assert answered('{"smiles": "CCO"}', "other").score == 0.5
    assert answered("{}", "other").score == 0
    none = run(grader, "I cannot.", context)
    assert none.score == 0
    assert none.error is not None
    assert none.error.code == "sample_parse_error"
    assert none.error.message.startswith("function_name: ")


JOHN = {
    "type": "multi",
    "graders": {
        "name": {
            "name": "name_grader",
            "type": "text_similarity",
            "input": "{{sample.output_json.name}}",
            "reference": "{{item.name}}",
            "evaluation_metric": "fuzzy_match",
            "pass_threshold": 0.9,
        },
        "email": {
            "name": "email_grader",
            "type": "string_check",
            "input": "{{sample.output_json.email}}",
            "reference": "{{item.email}}",
            "operation": "eq",
        },
    },
    "calculate_output": "(name + email) / 2",
}
"""The guide to graders, "Multigraders": a wrong email scores from 0 to 0.5, a right one from 0.5 to 1."""


def test_the_guides_grader_of_two_fields(context: GradingContext) -> None:
    both = run(JOHN, '{"name": "John Doe", "email": "john.doe@gmail.com"}', context)
    assert (both.score, both.error) == (1, None)
    assert both.details["parts"] == {"name": {"score": 1.0, "passed": True}, "email": {"score": 1.0, "passed": True}}
    close = run(JOHN, '{"name": "Jon Doe", "email": "john.doe@gmail.com"}', context)
    assert 0.5 < close.score < 1
    wrong = run(JOHN, '{"name": "John Doe", "email": "john@gmail.com"}', context)
    assert wrong.score == 0.5
    assert run(JOHN, '{"name": "xyz", "email": "no"}', context).score < 0.5


def test_a_formula_without_a_value_is_an_error_of_that_row(context: GradingContext) -> None:
    grader = {"type": "multi", "graders": {"same": check("eq")}, "calculate_output": "1 / same"}
    assert run(grader, "Paris", context).score == 1
    grade = run(grader, "Rome", context)
    assert grade.score == 0
    assert grade.error is not None
    assert grade.error.code == "formula_parse_error"
    assert grade.details["parts"]["same"] == {"passed": False}


def similar(metric: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "text_similarity",
        "name": "s",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference_answer}}",
        "evaluation_metric": metric,
        **fields,
    }


METRICS = ["fuzzy_match", "bleu", "gleu", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"]
FOX = "the quick brown fox jumps over the lazy dog"


@pytest.mark.parametrize("metric", METRICS)
def test_equal_texts_are_1_and_texts_without_anything_in_common_0(metric: str, context: GradingContext) -> None:
    item = {"reference_answer": FOX}
    assert run(similar(metric), FOX, context, item).score == 1
    assert run(similar(metric), "", context, item).score == 0
    part = run(similar(metric), "the quick brown fox jumps over a dog", context, item)
    assert 0 < part.score < 1


def test_the_fuzzy_match_is_that_of_the_guides_python_grader(context: GradingContext) -> None:
    fuzz, utils = pytest.importorskip("rapidfuzz.fuzz"), pytest.importorskip("rapidfuzz.utils")
    sample, reference = "fuzzy wuzzy was a bear", "fuzzy wuzzy had no hair"
    expected = fuzz.WRatio(sample, reference, processor=utils.default_process) / 100.0
    grade = run(similar("fuzzy_match", pass_threshold=0.8), sample, context, {"reference_answer": reference})
    assert (grade.score, grade.passed) == (expected, False)


def test_a_threshold_is_passed_at_its_value(context: GradingContext) -> None:
    assert run(similar("rouge_1", pass_threshold=0.5), "Paris Rome", context, {"reference_answer": "Paris Oslo"}).passed
    assert run(similar("rouge_1"), "Paris", context).passed is None


def test_cosine_is_that_of_the_embeddings() -> None:
    vectors = {"Paris": [3.0, 4.0], "paris!": [4.0, 3.0], "none": [0.0, 0.0], "not": [-3.0, -4.0]}
    context = GradingContext(embed=lambda texts: [vectors[text] for text in texts])
    assert run(similar("cosine"), "paris!", context).score == pytest.approx(24 / 25)
    assert run(similar("cosine"), "none", context).score == 0
    assert run(similar("cosine"), "not", context).score == 0


def test_a_metric_that_cannot_run_here_is_refused_before_any_row(context: GradingContext) -> None:
    with pytest.raises(UsageError, match="cosine compares embeddings") as problem:
        check_runnable(parse_grader(similar("cosine")), context)
    assert "fuzzy_match" in problem.value.hint


def test_meteor_is_refused_where_wordnet_is_not_installed(
    context: GradingContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    nltk = pytest.importorskip("nltk")
    monkeypatch.setattr(nltk.data, "path", [])
    with pytest.raises(MissingExtra, match="meteor needs WordNet") as problem:
        check_runnable(parse_grader(similar("meteor")), context)
    assert problem.value.hint == "Install it with: python -m nltk.downloader wordnet"


def test_a_missing_library_names_the_extra(context: GradingContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rapidfuzz.fuzz", None)
    with pytest.raises(MissingExtra) as problem:
        check_runnable(parse_grader(similar("fuzzy_match")), context)
    assert problem.value.hint == "Install it with: pip install 'ftbridge[evaluate]'"


def test_a_sample_is_read_from_a_text_a_message_or_a_completion() -> None:
    assert sample_of("a")["output_text"] == "a"
    assert "output_json" not in sample_of("a")
    message = {"role": "assistant", "content": [{"type": "text", "text": '{"a": '}, {"type": "text", "text": "1}"}]}
    assert sample_of(message)["output_json"] == {"a": 1}
    completion = {
        "choices": [{"index": 0, "message": {"content": None, "tool_calls": [CALL]}, "finish_reason": "stop"}]
    }
    sample = sample_of(completion)
    assert (sample["output_text"], sample["output_tools"]) == ("", [CALL])
    assert sample["choices"] == completion["choices"]
