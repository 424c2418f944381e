"""Graders are read from JSON objects, and what is wrong in one is named by its path."""

from __future__ import annotations

from typing import Any

import pytest

from ftbridge.errors import SpecError
from ftbridge.graders import LabelModel, Multi, ScoreModel, StringCheck, keys_read, parse_grader

CHECK: dict[str, Any] = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
SIMILAR: dict[str, Any] = {
    "type": "text_similarity",
    "name": "close",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "evaluation_metric": "rouge_l",
}
SCORE: dict[str, Any] = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o-2024-08-06",
    "range": [0, 10],
    "sampling_params": {"temperature": 0, "reasoning_effort": None},
    "input": [
        {"role": "system", "content": "Score from 0 to 10."},
        {
            "role": "user",
            "type": "message",
            "content": [{"type": "input_text", "text": "{{item.question}}"}, "{{sample.output_json.score}}"],
        },
    ],
}
LABEL: dict[str, Any] = {
    "type": "label_model",
    "name": "tone",
    "model": "gpt-4o-2024-08-06",
    "input": [{"role": "user", "content": {"type": "output_text", "text": "{{sample.output_text}}"}}],
    "labels": ["kind", "rude"],
    "passing_labels": ["kind"],
}
PYTHON: dict[str, Any] = {
    "type": "python",
    "name": "own",
    "source": 'def grade(sample, item):\n    return float(f"{{{item}}}" == "{{row.x}}")\n',
}
MULTI: dict[str, Any] = {
    "type": "multi",
    "graders": {"exact": CHECK, "judge": SCORE, "tone": LABEL, "close": SIMILAR, "own": PYTHON},
    "calculate_output": "0.5 * exact + 5e-2 * judge + min(tone, close) / max(1, own)",
}


@pytest.mark.parametrize("given", [CHECK, SIMILAR, SCORE, LABEL, PYTHON, MULTI], ids=lambda given: given["type"])
def test_every_kind_is_read_and_written_back(given: dict[str, Any]) -> None:
    grader = parse_grader(given)
    assert grader.model_dump(mode="json", exclude_unset=True) == given
    assert parse_grader(grader.model_dump(mode="json", exclude_none=True)) == grader


def test_the_types_are_those_of_the_kinds() -> None:
    assert isinstance(parse_grader(CHECK), StringCheck)
    assert isinstance(parse_grader(LABEL), LabelModel)
    score = parse_grader(SCORE)
    assert isinstance(score, ScoreModel)
    assert score.range == (0, 10)
    multi = parse_grader(MULTI)
    assert isinstance(multi, Multi)
    assert multi.graders["exact"] == parse_grader(CHECK)


def test_the_keys_that_templates_read_are_known() -> None:
    assert keys_read(MULTI) == {"answer", "question"}
    assert keys_read(MULTI, "sample") == {"output_text", "output_json"}
    assert keys_read(PYTHON) == frozenset()


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "no type": ({"name": "x"}, "grader: unable to extract tag"),
    "an unknown type": ({**CHECK, "type": "guess"}, "grader: input tag 'guess'"),
    "a missing field": ({key: CHECK[key] for key in CHECK if key != "input"}, "grader.input: field required"),
    "an unknown field": ({**CHECK, "weight": 1}, "grader.weight: extra inputs are not permitted"),
    "an unknown operation": ({**CHECK, "operation": "is"}, "grader.operation: input should be 'eq'"),
    "an unknown metric": ({**SIMILAR, "evaluation_metric": "wer"}, "grader.evaluation_metric: input should be"),
    "an unknown role": ({**SCORE, "input": [{"role": "tool", "content": ""}]}, "grader.input[0].role: input should"),
    "an unknown part": (
        {**SCORE, "input": [{"role": "user", "content": [{"type": "video"}]}]},
        "grader.input[0].content[0]: input tag 'video'",
    ),
    "a range of one number": ({**SCORE, "range": [1]}, "grader.range[1]: field required"),
    "an empty range": ({**SCORE, "range": [1, 1]}, "grader.range is empty"),
    "a label that does not exist": ({**LABEL, "passing_labels": ["good"]}, "grader.passing_labels has 'good'"),
    "a multi grader in another": (
        {**MULTI, "graders": {"inner": MULTI}},
        "grader.graders.inner: input tag 'multi' found",
    ),
    "an invalid part": ({**MULTI, "graders": {"exact": {**CHECK, "name": 3}}}, "grader.graders.exact.name: input"),
    "an invalid label in a part": (
        {**MULTI, "graders": {"tone": {**LABEL, "passing_labels": ["x"]}}, "calculate_output": "tone"},
        "grader.graders.tone.passing_labels has 'x'",
    ),
    "an unknown name in the formula": (
        {**MULTI, "calculate_output": "exact + wrong"},
        "grader.calculate_output refers to 'wrong'",
    ),
    "an unknown namespace": ({**CHECK, "reference": "{{row.answer}}"}, "grader.reference reads {{row.answer}}"),
    "a namespace alone": ({**SCORE, "model": "{{item}}"}, "grader.model reads {{item}}"),
}


@pytest.mark.parametrize("name", INVALID)
def test_what_is_wrong_is_named_by_its_path(name: str) -> None:
    given, message = INVALID[name]
    with pytest.raises(SpecError) as problem:
        parse_grader(given)
    assert message in problem.value.message
    assert problem.value.hint


def test_the_path_begins_where_the_grader_is() -> None:
    with pytest.raises(SpecError, match=r"metrics\[0\]\.operation: input should be"):
        parse_grader({**CHECK, "operation": "is"}, "metrics[0]")
