"""Metrics by name: each equals the library that is known for it, and is chosen by looking at the rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from ftbridge.graders import BUILT_IN, Grade, GradedRow, GradingContext, Metric, choose_metric, run_grader, sample_of
from ftbridge.graders.metrics import Json

CONTEXT = GradingContext()


def chat(expected: Any, **keys: Any) -> dict[str, Any]:
    message = expected if isinstance(expected, dict) else {"content": expected}
    return {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", **message}], **keys}


def grade(metric: str | Metric, item: dict[str, Any], answer: Any) -> Grade:
    one = BUILT_IN[metric]() if isinstance(metric, str) else metric
    return run_grader(one, item, sample_of(answer), CONTEXT)


def summary(metric: str, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """All of the metric's figures for pairs of an expected text and an answer."""
    rows = [
        GradedRow(chat(expected), sample_of(answer), grade(metric, chat(expected), answer))
        for expected, answer in pairs
    ]
    return BUILT_IN[metric]().summarise(rows)


def test_the_expected_answer_is_the_last_message_or_the_reference_of_a_task() -> None:
    task: dict[str, Any] = {"messages": [{"role": "user", "content": "?"}]}
    assert grade("exact", chat("yes"), "yes").score == 1
    assert grade("exact", {**task, "reference": "yes"}, "yes").score == 1
    assert grade("json", {**task, "reference": {"a": 1}}, '{"a": 1}').score == 1
    without = grade("exact", task, "yes")
    assert without.error is not None
    assert without.error.code == "invalid_variable_error"
    assert without.error.message == "the row expects no answer: its last message is not the assistant's"


@pytest.mark.parametrize(
    ("expected", "answer", "score"),
    [("yes", "yes", 1), ("yes", " yes\n", 1), ("yes", "Yes", 0), ("yes", "yes.", 0), ("", "", 1)],
)
def test_exact_is_the_same_text_without_white_space_around_it(expected: str, answer: str, score: float) -> None:
    assert grade("exact", chat(expected), answer) == Grade(score=score, passed=bool(score))


LABELS = [
    ("cat", "cat"),
    ("cat", "dog"),
    ("cat", "cat"),
    ("dog", "dog"),
    ("dog", "cat"),
    ("bird", "fish"),
    ("bird", "bird"),
    ("dog", "dog"),
]


def test_labels_equal_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    expected, answers = zip(*LABELS, strict=True)
    figures = summary("label", LABELS)
    names = sorted({*expected, *answers})
    scores = sklearn.precision_recall_fscore_support(expected, answers, labels=names, zero_division=0)
    for name, precision, recall, f1, support in zip(names, *scores, strict=True):
        assert figures["labels"][name] == pytest.approx(
            {"precision": precision, "recall": recall, "f1": f1, "support": support}
        )
    macro = sklearn.precision_recall_fscore_support(expected, answers, average="macro", zero_division=0)
    assert figures["macro"] == pytest.approx(dict(zip(("precision", "recall", "f1"), macro, strict=False)))
    assert figures["accuracy"] == sklearn.accuracy_score(expected, answers)
    table = sklearn.confusion_matrix(expected, answers, labels=names).tolist()
    confusion = figures["confusion"]
    assert [[confusion.get(row, {}).get(column, 0) for column in names] for row in names] == table


def test_a_label_in_other_case_or_spacing_is_the_same_and_that_is_told() -> None:
    assert grade("label", chat("Not spam"), "not spam").details["differs_in"] == "case"
    assert grade("label", chat("Not spam"), " Not  spam\n").details["differs_in"] == "white space"
    assert "differs_in" not in grade("label", chat("Not spam"), "Not spam").details
    figures = summary("label", [("Spam", "spam "), ("Spam", "Spam"), ("Ham", " Ham"), ("Ham", "spam")])
    assert figures["differs_in"] == {"case": 1, "white space": 1}
    assert figures["confusion"] == {"Ham": {"Ham": 1, "Spam": 1}, "Spam": {"Spam": 2}}


JSON: list[tuple[Any, str, float, bool]] = [
    ({"a": 1, "b": [True, None]}, '{"b": [true, null], "a": 1.0}', 1, True),
    ({"a": 1, "b": 2}, '{"a": 1, "b": 3}', 0.5, False),
    ({"a": 1, "b": 2}, '{"a": 1}', 2 / 3, False),
    ({"a": 1}, '{"a": 1, "b": 2, "c": 3}', 0.5, False),
    ({"a": {"x": 1, "y": 2}}, '{"a": {"x": 1, "y": 0}}', 0.5, False),
    ({"a": [1, 2]}, '{"a": [2, 1]}', 0, False),
    ({"a": 1}, '{"a": true}', 0, False),
    ({"a": "1"}, '{"a": 1}', 0, False),
    ({"a": {}}, '{"a": []}', 0, False),
    ({}, "{}", 1, True),
    ({"a": 1}, "{}", 0, False),
    ([1], "[1]", 1, True),
]


@pytest.mark.parametrize(("expected", "answer", "score", "passed"), JSON)
def test_json_is_compared_field_by_field(expected: Any, answer: str, score: float, passed: bool) -> None:
    given = grade("json", chat(json.dumps(expected)), answer)
    assert given.score == pytest.approx(score)
    assert given.passed is passed
    assert given.details["valid"] is True


@pytest.mark.parametrize("answer", ["", "no", '{"a": 1', '```json\n{"a": 1}\n```', '{"a": NaN}', "[" * 100_000])
def test_an_answer_that_is_no_json_scores_0(answer: str) -> None:
    assert grade("json", chat('{"a": 1}'), answer) == Grade(passed=False, details={"valid": False, "equal": False})


def test_an_expected_answer_that_is_no_json_is_an_error_of_the_row() -> None:
    assert grade("json", chat("yes"), "{}").error is not None


def test_json_is_held_against_a_schema_from_the_row_or_for_all_rows() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    item = chat('{"a": 1}', response_format=wanted)
    assert grade("json", item, '{"a": 2}').details["schema_valid"] is True
    assert grade("json", item, '{"a": "2"}').details["schema_valid"] is False
    assert grade(Json(schema), chat('{"a": 1}'), "{}").details["schema_valid"] is False
    assert "schema_valid" not in grade("json", chat('{"a": 1}'), "{}").details


def test_shares_of_json_answers() -> None:
    pairs = [('{"a": 1}', '{"a": 1}'), ('{"a": 1}', '{"a": 2}'), ('{"a": 1}', "no"), ("not", "{}")]
    assert summary("json", pairs) == {"valid": 2 / 3, "equal": 1 / 3}


def call(name: str, arguments: Any = "{}") -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": text}}


def calls(*made: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(made)}


PARIS, ROME = call("weather", {"city": "Paris", "days": 1}), call("weather", {"city": "Rome", "days": 1})
TOOLS: list[tuple[dict[str, Any], Any, float]] = [
    (calls(PARIS), calls(PARIS), 1),
    (calls(PARIS), calls(call("weather", '{"days":1.0,"city":"Paris"}')), 1),
    (calls(PARIS, ROME), calls(ROME, PARIS), 1),
    (calls(PARIS, ROME), calls(PARIS), 2 / 3),
    (calls(PARIS), calls(PARIS, PARIS), 2 / 3),
    (calls(PARIS), calls(ROME), 0),
    (calls(PARIS), calls(call("time")), 0),
    (calls(PARIS), calls(call("weather", "{broken")), 0),
    (calls(call("time", "")), calls(call("time", "{}")), 1),
    (calls(PARIS), "I cannot.", 0),
    (calls(PARIS), calls({"type": "custom", "custom": {"name": "weather", "input": "Paris"}}), 0),
    (calls(PARIS), calls({}), 0),
    ({"content": "Hello."}, "Hi!", 1),
    ({"content": "Hello."}, calls(PARIS), 0),
]


@pytest.mark.parametrize(("expected", "answer", "score"), TOOLS)
def test_tool_calls_are_equal_in_name_and_arguments_in_any_order(expected: Any, answer: Any, score: float) -> None:
    given = grade("tools", chat(expected), answer)
    assert given.score == pytest.approx(score)
    assert given.passed is (score == 1)
    assert given.details["arguments_equal"] is (score == 1)


def test_what_is_missing_and_extra_in_the_calls_is_told() -> None:
    details = grade("tools", chat(calls(PARIS, call("time"))), calls(ROME, call("stop"))).details
    assert (details["missing"], details["extra"], details["names_equal"]) == (["time"], ["stop"], False)
    assert grade("tools", chat(calls(PARIS)), calls(ROME)).details["names_equal"] is True


def test_arguments_are_held_against_the_schema_of_their_tool() -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": parameters}}]
    item = chat(calls(PARIS), tools=tools)
    for answer, valid in [
        (calls(ROME), True),
        (calls(call("weather", {"town": "Rome"})), False),
        (calls(call("weather", "{")), False),
        (calls(call("unknown")), False),
        ("I cannot.", True),
    ]:
        assert grade("tools", item, answer).details["schema_valid"] is valid
    assert "schema_valid" not in grade("tools", chat(calls(PARIS)), calls(ROME)).details


TEXTS = [
    ("The cat sat on the mat.", "The cat sat on a mat."),
    ("It is raining in Paris today, so take an umbrella.", "Take an umbrella, it rains in Paris today."),
    ("Größe und Maße stimmen überein.", "Die Größe und die Maße stimmen."),
    ("Nothing in common here.", "zzz"),
    ("An answer that is missing.", ""),
]


def test_text_equals_sacrebleu_and_rouge_score() -> None:
    sacrebleu, rouge = pytest.importorskip("sacrebleu"), pytest.importorskip("rouge_score.rouge_scorer")
    scorer = rouge.RougeScorer(["rouge1", "rouge2", "rougeL"])
    names = {"rouge1": "rouge_1", "rouge2": "rouge_2", "rougeL": "rouge_l"}
    for expected, answer in TEXTS:
        given = grade("text", chat(expected), answer)
        assert given.score == pytest.approx(sacrebleu.sentence_chrf(answer, [expected]).score / 100)
        assert given.details["bleu"] == pytest.approx(sacrebleu.sentence_bleu(answer, [expected]).score / 100)
        for kind, score in scorer.score(expected, answer).items():
            assert given.details[names[kind]] == pytest.approx(score.fmeasure)
    figures = summary("text", TEXTS)
    expected_texts, answers = map(list, zip(*TEXTS, strict=True))
    assert figures["chrf"] == pytest.approx(sacrebleu.corpus_chrf(answers, [expected_texts]).score / 100)
    assert figures["bleu"] == pytest.approx(sacrebleu.corpus_bleu(answers, [expected_texts]).score / 100)
    assert figures["bleu_signature"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp")


def test_known_values_of_text_metrics() -> None:
    """By hand: of the words of "the cat sat", the answer "the cat ran" has two of three, and one of two pairs."""
    pytest.importorskip("rouge_score")
    details = grade("text", chat("the cat sat"), "the cat ran").details
    assert details["rouge_1"] == pytest.approx(2 / 3)
    assert details["rouge_2"] == pytest.approx(1 / 2)
    assert details["rouge_l"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("metric", BUILT_IN)
def test_no_rows_have_no_figures(metric: str) -> None:
    assert BUILT_IN[metric]().summarise([]) == {}


LONG = "This is an answer of quite a few words, which nobody would take for a label."
CHOICES: list[tuple[str, list[Any], str]] = [
    ("tools", [calls(PARIS), {"content": "Hello."}], "some of the expected answers call tools"),
    ("json", ['{"a": 1}', "[1]"], "every expected answer is a JSON object or list"),
    ("label", ["spam", "ham", "Spam", "ham"], "the expected answers are 2 short texts that recur"),
    ("label", ["1", "0", "1", "1"], "the expected answers are 2 short texts that recur"),
    ("exact", ["Paris", "Rome", "Oslo"], "the expected answers are short, and not a few labels"),
    ("exact", ['{"a": 1}', "yes"], "the expected answers are short, and not a few labels"),
    ("text", [f"{LONG} {number}" for number in range(3)], "half of the expected answers have more than 12 words"),
]


@pytest.mark.parametrize(("metric", "answers", "reason"), CHOICES)
def test_the_metric_is_chosen_by_the_expected_answers(metric: str, answers: list[Any], reason: str) -> None:
    choice = choose_metric(chat(answer) for answer in answers)
    assert (choice.metric, choice.reason) == (metric, reason)
