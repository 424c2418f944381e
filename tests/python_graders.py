"""Python graders of the tests, among them those that attack what runs them."""

from __future__ import annotations

import textwrap

from ftbridge.graders import Grade, GradingContext, PythonGrader, PythonLimits, run_grader, sample_of

LIMITS = PythonLimits(seconds=1.5, memory_bytes=512 << 20, disk_bytes=8 << 20, printed_characters=1 << 20)


def grader(source: str) -> PythonGrader:
    return PythonGrader(type="python", name="own", source=source)


def attempt(body: str) -> PythonGrader:
    """A grader that grades 0.5, but for the row {"attack": true}, in which it does what `body` says."""
    inside = textwrap.indent(textwrap.dedent(body), " " * 8)
    return grader(
        "import os, sys, ctypes\nlibc = ctypes.CDLL(None)\n"
        f"def grade(sample, item):\n    if item['attack']:\n{inside}\n    return 0.5\n"
    )


def both(one: PythonGrader, context: GradingContext) -> Grade:
    """The grade of the row with the attack. The row after it is graded as if nothing had happened."""
    grade = run_grader(one, {"attack": True}, sample_of("x"), context)
    assert run_grader(one, {"attack": False}, sample_of("x"), context).score == 0.5
    return grade


def message(grade: Grade) -> str:
    assert (grade.score, grade.passed) == (0, None)
    assert grade.error is not None
    assert grade.error.code == "python_grader_runtime_error"
    return grade.error.message
