"""From a JSON object to a grader, with errors that name the path of what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ftbridge.errors import SpecError
from ftbridge.graders.formula import Formula, FormulaError
from ftbridge.graders.templates import NAMESPACES, references
from ftbridge.graders.types import Grader, LabelModel, Multi, ScoreModel

_ADAPTER: TypeAdapter[Any] = TypeAdapter(Grader)


def parse_grader(given: Mapping[str, Any], path: str = "grader") -> Grader:
    """The grader in `given`. Raises `SpecError` with the path of what is wrong, which begins with `path`."""
    try:
        grader = cast(Grader, _ADAPTER.validate_python(given))
    except ValidationError as problem:
        # of a union each member has its errors: the deepest one is about what is wrong
        error = max(
            problem.errors(), key=lambda error: (len(_path(given, error, path)), error["type"] != "string_type")
        )
        message = error["msg"][0].lower() + error["msg"][1:]
        _refuse(f"{_path(given, error, path)}: {message}", "Correct it in the grader's JSON.")
    _check_templates(given, path)
    if isinstance(grader, Multi):
        for name, part in grader.graders.items():
            _check_model(part, f"{path}.graders.{name}")
        _check_formula(grader, path)
    else:
        _check_model(grader, path)
    return grader


def _check_templates(given: Mapping[str, Any], path: str) -> None:
    for place, reference in references(given, path):
        if reference.namespace not in NAMESPACES or not reference.key:
            _refuse(
                f"{place} reads {reference}, which does not exist",
                "Templates read item.…, a row's reference, and sample.…, the model's answer.",
            )
        if reference.rest:
            _refuse(f"{place} reads {reference}, which is no path", "Write it as in {{item.answers[0].text}}.")


def _check_model(grader: Grader, path: str) -> None:
    """The labels and the range of a grader model."""
    if isinstance(grader, LabelModel):
        for label in grader.passing_labels:
            if label not in grader.labels:
                _refuse(
                    f"{path}.passing_labels has {label!r}, which is not one of its labels",
                    f"Its labels are: {', '.join(grader.labels)}.",
                )
    elif isinstance(grader, ScoreModel) and grader.range and grader.range[0] >= grader.range[1]:
        _refuse(f"{path}.range is empty", "Give the lower limit first, as in [0, 1].")


def _check_formula(grader: Multi, path: str) -> None:
    try:
        unknown = sorted(Formula(grader.calculate_output).names - grader.graders.keys())
    except FormulaError as problem:
        _refuse(f"{path}.calculate_output: {problem}", "Correct the formula, as in 0.5 * one + 0.5 * other.")
    if unknown:
        _refuse(
            f"{path}.calculate_output refers to '{unknown[0]}', which is not one of its graders",
            f"Its graders are: {', '.join(sorted(grader.graders))}.",
        )


def _path(given: Any, error: ErrorDetails, path: str) -> str:
    """The path in `given`: pydantic's own has the names of union members in it, which `given` does not have."""
    for step in error["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
            given = given[step] if isinstance(given, Sequence) and step < len(given) else None
        elif isinstance(given, Mapping) and step in given:
            path += f".{step}"
            given = given[step]
    last = error["loc"][-1] if error["type"] == "missing" else None
    return f"{path}.{last}" if isinstance(last, str) else path


def _refuse(message: str, hint: str) -> NoReturn:
    raise SpecError(f"the grader is not valid: {message}", hint=hint)
