"""Python graders run in a process of their own, one for many rows, and what is no score costs its row alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ftbridge.errors import SpecError
from ftbridge.graders import Grade, GradingContext, Multi, StringCheck, check_runnable, run_grader, sample_of
from python_graders import LIMITS, attempt, both, grader, message


@pytest.fixture(scope="module")
def context() -> Iterator[GradingContext]:
    with GradingContext(limits=LIMITS) as context:
        yield context


def test_the_guides_grader(context: GradingContext) -> None:
    """The guide to graders, "Python graders"."""
    fuzz, utils = pytest.importorskip("rapidfuzz.fuzz"), pytest.importorskip("rapidfuzz.utils")
    source = """
from rapidfuzz import fuzz, utils

def grade(sample, item) -> float:
    output_text = sample["output_text"]
    reference_answer = item["reference_answer"]
    return fuzz.WRatio(output_text, reference_answer, processor=utils.default_process) / 100.0
"""
    item, answer = {"reference_answer": "fuzzy wuzzy had no hair"}, "fuzzy wuzzy was a bear"
    expected = fuzz.WRatio(answer, item["reference_answer"], processor=utils.default_process) / 100.0
    assert run_grader(grader(source), item, sample_of(answer), context) == Grade(score=expected)


def test_it_gets_the_sample_and_the_row(context: GradingContext) -> None:
    source = """
def grade(sample, item):
    assert sample["output_json"] == {"a": 1}, sample
    assert sample["output_tools"] == [] and sample["choices"][0]["message"]["role"] == "assistant"
    assert item == {"text": "é \\U0001f600 \\x00", "deep": [{"x": None}]}, item
    return 1
"""
    item = {"text": "é 😀 \0", "deep": [{"x": None}]}
    assert run_grader(grader(source), item, sample_of('{"a": 1}'), context) == Grade(score=1)


def test_half_a_character_is_no_trouble(context: GradingContext) -> None:
    source = "def grade(sample, item):\n    print(item['text'])\n    if item['fails']: raise ValueError(item['text'])\n"
    one = grader(f"{source}    return 1")
    row = {"text": "a\ud800", "fails": False}
    assert run_grader(one, row, sample_of("\udfff"), context).details == {"printed": "a?\n"}
    assert "ValueError: a?" in message(run_grader(one, {**row, "fails": True}, sample_of(""), context))


def test_one_process_grades_many_rows_of_any_size(context: GradingContext) -> None:
    one = grader("import os\ndef grade(sample, item):\n    print(os.getpid())\n    return len(item['text'])")
    grades = [run_grader(one, {"text": "x" * size}, sample_of(""), context) for size in (0, 10, 3_000_000, 1)]
    assert [grade.score for grade in grades] == [0, 10, 3_000_000, 1]
    assert len({grade.details["printed"] for grade in grades}) == 1


@pytest.mark.parametrize("value", ["1", "True", "1.0", "__import__('fractions').Fraction(1)"])
def test_any_real_number_is_a_score(value: str, context: GradingContext) -> None:
    assert run_grader(grader(f"def grade(sample, item): return {value}"), {}, sample_of(""), context).score == 1


NO_SCORE = {
    "return None": "it returned None, which is no number",
    "return '1'": "it returned '1', which is no number",
    "return [1]": "it returned [1], which is no number",
    "return 1j": "it returned 1j, which is no number",
    "return float('nan')": "it returned nan, which is no finite number",
    "return float('inf')": "it returned inf, which is no finite number",
    "raise KeyError('name')": "line 5: KeyError: 'name'",
    "return item['missing']": "line 5: KeyError: 'missing'",
    "sys.exit(3)": "line 5: SystemExit: 3",
    "raise KeyboardInterrupt": "line 5: KeyboardInterrupt",
    "def deeper(): return deeper()\ndeeper()": "line 5: RecursionError: maximum recursion depth",
    "return 10 ** 400": "OverflowError",
    "class Hostile(Exception):\n    def __str__(self): raise self\nraise Hostile": "an exception that cannot be shown",
    "return type('Hostile', (float,), {'__repr__': lambda self: 1 / 0, '__float__': lambda self: 'x'})('nan')": "Error",
}


@pytest.mark.parametrize("body", NO_SCORE)
def test_what_is_no_score_is_an_error_of_that_row(body: str, context: GradingContext) -> None:
    assert NO_SCORE[body] in message(both(attempt(body), context))


UNLOADABLE = {
    "def grade(sample, item) return 1": "line 1: SyntaxError: expected ':'",
    "x = 1": "the source has no function grade(sample, item)",
    "grade = 1": "the source has no function grade(sample, item)",
    "\nimport a_module_that_is_not_there": "line 2: ModuleNotFoundError: No module named 'a_module_that_is_not_there'",
    "while True: pass": "it took longer than 1.5 seconds",
    "import os\nos._exit(1)": "it ended its process with status 1",
    "x = bytearray(10 << 30)": "it needs more than 512 MiB of memory",
}


@pytest.mark.parametrize("source", UNLOADABLE)
def test_a_source_that_does_not_load_is_refused_before_any_row(source: str, context: GradingContext) -> None:
    with pytest.raises(SpecError) as problem:
        check_runnable(grader(source), context)
    assert problem.value.message.startswith("own: the source of the python grader cannot be loaded: ")
    assert UNLOADABLE[source] in problem.value.message
    before = time.monotonic()
    assert UNLOADABLE[source] in message(run_grader(grader(source), {}, sample_of(""), context))
    assert time.monotonic() - before < 1  # it is not tried again


def test_a_source_that_is_longer_than_openais_limit_is_refused(context: GradingContext) -> None:
    with pytest.raises(SpecError, match="longer than 256,000 bytes"):
        check_runnable(grader("#" * 256_001), context)


def test_a_failed_part_counts_0_and_is_named(context: GradingContext) -> None:
    same = StringCheck(type="string_check", name="same", input="a", reference="a", operation="eq")
    broken = grader("def grade(sample, item): raise ValueError('no')")
    both = Multi(type="multi", graders={"same": same, "own": broken}, calculate_output="0.5 * same + 0.5 * own")
    grade = run_grader(both, {}, sample_of(""), context)
    assert grade.score == 0.5
    assert grade.error is not None
    assert grade.error.message == "own: the python grader failed: line 1: ValueError: no"


def test_threads_share_one_process(context: GradingContext) -> None:
    one = grader("def grade(sample, item): return item['n']")

    def score(number: int) -> Any:
        return run_grader(one, {"n": number}, sample_of(""), context).score

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(score, range(200))) == list(range(200))
