"""Similarities of texts are from 0 to 1, and equal the libraries that are known for them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ftbridge.errors import MissingExtra, UsageError
from ftbridge.graders import Grade, GradingContext, check_runnable, parse_grader, run_grader, sample_of

PARIS = {"reference_answer": "Paris"}


@pytest.fixture
def context() -> Iterator[GradingContext]:
    with GradingContext() as context:
        yield context


def run(grader: Mapping[str, Any], answer: str, context: GradingContext, item: Mapping[str, Any] = PARIS) -> Grade:
    return run_grader(parse_grader(grader), item, sample_of(answer), context)


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


@pytest.mark.parametrize("metric", ["rouge_1", "rouge_2", "rouge_5", "rouge_l"])
def test_rouge_is_that_of_rouge_score(metric: str, context: GradingContext) -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer")
    kind = metric.replace("_", "").replace("l", "L")
    for answer in (
        "a dog jumps over the lazy fox",
        "dog lazy the over jumps",
        "the quick brown fox jumps",
        "Ünïcode-2 fox",
    ):
        expected = scorer.RougeScorer([kind]).score(FOX, answer)[kind].fmeasure
        assert run(similar(metric), answer, context, {"reference_answer": FOX}).score == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["bleu", "gleu"])
def test_bleu_and_gleu_are_those_of_sacrebleu_and_nltk(metric: str, context: GradingContext) -> None:
    sacrebleu, gleu = pytest.importorskip("sacrebleu"), pytest.importorskip("nltk.translate.gleu_score")
    answer = "the quick brown cat jumps over a dog"
    expected = {
        "bleu": sacrebleu.sentence_bleu(answer, [FOX]).score / 100,
        "gleu": gleu.sentence_gleu([FOX.split()], answer.split()),
    }
    assert run(similar(metric), answer, context, {"reference_answer": FOX}).score == pytest.approx(expected[metric])


def test_texts_that_would_take_minutes_to_compare_are_an_error_of_that_row(context: GradingContext) -> None:
    for reference in ("y" * 10**6, "word other " * 2_000):
        grade = run(similar("fuzzy_match"), "other words " * 100_000, context, {"reference_answer": reference})
        assert grade.error is not None
        assert grade.error.message == "the answer and its reference are too long for the metric fuzzy_match"


def test_rouge_l_of_a_megabyte_ends_within_seconds(context: GradingContext) -> None:
    item = {"reference_answer": "word other " * 2_000}
    assert 0 < run(similar("rouge_l"), "other words " * 100_000, context, item).score < 1


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
    monkeypatch.setitem(sys.modules, "rapidfuzz.fuzz", None)
    with pytest.raises(MissingExtra) as problem:
        check_runnable(parse_grader(similar("fuzzy_match")), context)
    assert problem.value.hint == "Install it with: pip install 'ftbridge[evaluate]'"
