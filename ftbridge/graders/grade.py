"""What a grader says of one answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from ftbridge.model import Frozen

ErrorCode = Literal[
    "formula_parse_error",
    "invalid_variable_error",
    "model_grader_parse_error",
    "model_grader_refusal_error",
    "model_grader_server_error",
    "python_grader_runtime_error",
    "python_grader_server_error",
    "sample_parse_error",
    "other_error",
]
"""OpenAI's names, from its OpenAPI document of 2026-08, `RunGraderResponse.metadata.errors`."""


class GradeError(Frozen):
    """Why an answer could not be graded.

    `sample_parse_error` is the answer's own fault: it lacks what the grader reads. All others are the grader's.
    """

    code: ErrorCode
    message: str


class Grade(Frozen):
    """The score of one answer: from 0 to 1, unless the grader has another range.

    With an `error` the score is 0, as at OpenAI; that of a multi grader is its formula's, with 0 for each part that
    failed. `passed` is `None` where the grader has no threshold. `details` hold what led to the score, as plain JSON:
    the grades of a multi grader's parts, the steps of a judge, what a python grader printed.
    """

    score: float = 0.0
    passed: bool | None = None
    error: GradeError | None = None
    details: Mapping[str, Any] = Field(default_factory=dict)


class RowProblem(Exception):  # noqa: N818 - it becomes a grade, never an error of the program
    """Inside this room: one row cannot be graded, and the others go on."""

    def __init__(self, code: ErrorCode, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.grade = Grade(error=GradeError(code=code, message=message), details=details or {})


def graded(score: float, threshold: float | None = None, details: Mapping[str, Any] | None = None) -> Grade:
    """A grade that passes from `threshold` on."""
    return Grade(score=score, passed=None if threshold is None else score >= threshold, details=details or {})
