"""ftbridge's grader types have the fields and the literals of those in OpenAI's SDK."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

import pytest
from openai.types import eval_create_params as evals
from openai.types import graders as sdk
from pydantic import BaseModel
from typing_extensions import is_typeddict

from ftbridge.graders import (
    LabelModel,
    Multi,
    PartGrader,
    PythonGrader,
    ScoreModel,
    StringCheck,
    TextSimilarity,
)

PAIRS: dict[type[BaseModel], Any] = {
    StringCheck: sdk.StringCheckGraderParam,
    TextSimilarity: sdk.TextSimilarityGraderParam,
    PythonGrader: sdk.PythonGraderParam,
    ScoreModel: sdk.ScoreModelGraderParam,
    LabelModel: sdk.LabelModelGraderParam,
    Multi: sdk.MultiGraderParam,
}
DEVIATIONS = {
    Multi: "the guide gives it several graders by name, and no name of its own; the SDK's type has a single grader",
    "pass_threshold": "the SDK has it for evaluations alone, and there requires it of text_similarity",
    "range": "the SDK's type is any number of numbers, of which its description says that they are two",
}
"""Where ftbridge's types differ from the SDK's, and why."""


def members(annotation: Any) -> list[Any]:
    """The members of a union, without `None`, `Required` and what else only wraps a type."""
    if get_origin(annotation) in (Required, NotRequired, typing.Annotated, typing.Required, typing.NotRequired):
        return members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [member for part in get_args(annotation) for member in members(part)]
    return [] if annotation is type(None) else [annotation]


def shape(annotation: Any) -> Any:
    """A type as plain data: the literals, lists and objects that it allows, whatever library describes it."""
    return frozenset(map(shape_of_member, members(annotation)))


def shape_of_member(member: Any) -> Any:
    if get_origin(member) is Literal:
        return ("one of", frozenset(get_args(member)))
    if is_typeddict(member):
        hints = get_type_hints(member, include_extras=True)
        return ("object", *sorted((name, is_required(hints[name]), shape(hints[name])) for name in hints))
    if isinstance(member, type) and issubclass(member, BaseModel):
        fields = member.model_fields
        return ("object", *sorted((name, fields[name].is_required(), shape(hint(member, name))) for name in fields))
    if arguments := get_args(member):  # a list, a tuple, an iterable, or the SDK's SequenceNotStr
        return ("list", shape(arguments[0]))
    return member


def without_threshold(objects: Any) -> Any:
    return frozenset(tuple(field for field in one if field[0] != "pass_threshold") for one in objects)


def is_required(hint: Any) -> bool:
    """By the annotation: the SDK's modules postpone theirs, so `__required_keys__` is empty."""
    return get_origin(hint) in (Required, typing.Required)


def hint(model: type[BaseModel], field: str) -> Any:
    return get_type_hints(model, include_extras=True)[field]


@pytest.mark.parametrize("model", [model for model in PAIRS if model not in DEVIATIONS], ids=lambda one: one.__name__)
def test_fields_and_literals_are_those_of_the_sdk(model: type[BaseModel]) -> None:
    assert without_threshold(shape(model)) == shape(PAIRS[model])


@pytest.mark.parametrize(
    ("model", "theirs"),
    [
        (TextSimilarity, evals.TestingCriterionTextSimilarity),
        (PythonGrader, evals.TestingCriterionPython),
        (ScoreModel, evals.TestingCriterionScoreModel),
    ],
)
def test_the_threshold_is_that_of_the_sdks_evaluations(model: type[BaseModel], theirs: Any) -> None:
    hints = get_type_hints(theirs, include_extras=True)
    assert shape(hint(model, "pass_threshold")) == shape(hints["pass_threshold"])


def test_a_multi_grader_differs_only_where_the_guide_differs_from_the_sdk() -> None:
    ours, theirs = get_type_hints(Multi, include_extras=True), get_type_hints(sdk.MultiGraderParam, include_extras=True)
    assert ours.keys() == theirs.keys()
    assert shape(ours["calculate_output"]) == shape(theirs["calculate_output"])
    assert shape(ours["type"]) == shape(theirs["type"])
    assert without_threshold(shape(PartGrader)) == shape(theirs["graders"])
