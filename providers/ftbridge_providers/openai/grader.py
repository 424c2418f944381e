"""OpenAI's graders, which score a model's answers in reinforcement fine-tuning.

Source: the OpenAPI document of 2026-08, `Grader…`, and the guide to graders
(developers.openai.com/api/docs/guides/graders, read 2026-11). They differ about a multigrader: by the
guide its graders have names, which its formula speaks of, and by the document it holds a single one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from ftbridge.errors import SpecError
from ftbridge.model import Frozen, Spec

_TEMPLATE = re.compile(r"\{\{\s*(\w+)(?:\.(\w+))?[^}]*\}\}")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w*\s*\()")


class StringCheck(Frozen):
    """1 where a string is, or is not, or is like another; else 0."""

    type: Literal["string_check"]
    name: str
    input: str
    reference: str
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(Frozen):
    """How alike two texts are."""

    type: Literal["text_similarity"]
    name: str
    input: str
    reference: str
    evaluation_metric: Literal[
        "cosine", "fuzzy_match", "bleu", "gleu", "meteor",
        "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l",
    ]  # fmt: skip


class Python(Frozen):
    """What a function `grade(sample, item)` says, run at OpenAI."""

    type: Literal["python"]
    name: str
    source: str
    image_tag: str | None = None


class Said(Frozen):
    """A message to the model that judges."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Any
    type: Literal["message"] | None = None


class ScoreModel(Frozen):
    """The score that another model gives."""

    type: Literal["score_model"]
    name: str
    model: str
    input: list[Said]
    range: tuple[float, float] | None = None
    sampling_params: dict[str, Any] | None = None


class LabelModel(Frozen):
    """Whether another model puts a good label on it; only inside a multigrader."""

    type: Literal["label_model"]
    name: str
    model: str
    input: list[Said]
    labels: list[str]
    passing_labels: list[str]


Part: TypeAlias = Annotated[
    StringCheck | TextSimilarity | Python | ScoreModel | LabelModel, Field(discriminator="type")
]


class Multi(Frozen):
    """A formula over the scores of several graders."""

    type: Literal["multi"]
    name: str | None = None
    graders: dict[str, Part]
    calculate_output: str


Grader: TypeAlias = Annotated[StringCheck | TextSimilarity | Python | ScoreModel | Multi, Field(discriminator="type")]
_adapter: TypeAdapter[Any] = TypeAdapter(Grader)


def check_grading(vendor: str, spec: Spec) -> None:
    """Raises `SpecError` for a grader that will not do, and where nothing is there to measure the reward on."""
    if spec.grader is not None:
        _check_grader(vendor, spec.grader)
        if spec.validation is None:
            raise SpecError(
                f"{vendor} wants a validation file for rft, on which it measures the reward",
                hint="Give --validation FILE; `ftbridge prepare` divides a dataset.",
            )


def _check_grader(vendor: str, given: Mapping[str, Any]) -> None:
    """What is no grader, reads what there is not, or has a formula about graders that it does not hold."""
    try:
        grader = _adapter.validate_python(given)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(["grader", *(str(step) for step in first["loc"][1:])])
        said = first["msg"][0].lower() + first["msg"][1:]
        raise SpecError(
            f"{vendor} does not take this grader: {place}: {said}", hint="Mend what it names in the --grader file."
        ) from None
    for namespace, name in _templates(given):
        if namespace not in ("item", "sample") or not name:
            raise SpecError(
                f"the grader reads {{{{{namespace}{'.' * bool(name)}{name}}}}}, which there is not",
                hint="Templates read item.…, which is a row's reference, and sample.…, which is the model's answer.",
            )
    if isinstance(grader, Multi):
        _check_formula(grader)


def keys_read(given: Mapping[str, Any]) -> frozenset[str]:
    """The keys of a row's reference that a grader's templates read; what its Python code reads is not looked for."""
    return frozenset(name for namespace, name in _templates(given) if namespace == "item")


def _templates(given: Any) -> Iterator[tuple[str, str]]:
    """Namespace and first name of all that is read in a grader's texts."""
    if isinstance(given, str):
        yield from _TEMPLATE.findall(given)
    elif isinstance(given, Mapping):
        for key, value in given.items():
            yield from _templates(value) if key != "source" else ()
    elif isinstance(given, list):
        for value in given:
            yield from _templates(value)


def _check_formula(grader: Multi) -> None:
    unknown = sorted(set(_NAME.findall(grader.calculate_output)) - grader.graders.keys())
    if unknown:
        raise SpecError(
            f"the grader's calculate_output speaks of '{unknown[0]}', and no grader in it has that name",
            hint=f"Its graders are: {', '.join(sorted(grader.graders))}.",
        )
