"""OpenAI's grader objects as frozen types.

Source: the OpenAPI document of 2026-08, `Grader…`, and the guide to graders
(developers.openai.com/api/docs/guides/graders, read 2026-11). They differ about the multigrader: in the
guide its graders have names, which the formula refers to; in the document it holds a single grader.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ftbridge.model import Frozen


class StringCheck(Frozen):
    """1 if `input` equals, differs from or contains `reference`, else 0; `ilike` ignores case."""

    type: Literal["string_check"]
    name: str
    input: str
    reference: str
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(Frozen):
    """How similar two texts are, by a metric."""

    type: Literal["text_similarity"]
    name: str
    input: str
    reference: str
    evaluation_metric: Literal[
        "cosine", "fuzzy_match", "bleu", "gleu", "meteor",
        "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l",
    ]  # fmt: skip
    pass_threshold: float | None = None


class PythonGrader(Frozen):
    """The number that a function `grade(sample, item)` in `source` returns."""

    type: Literal["python"]
    name: str
    source: str
    image_tag: str | None = None
    pass_threshold: float | None = None


class PromptCacheBreakpoint(Frozen):
    """The end of a prompt's reusable prefix."""

    mode: Literal["explicit"]
    ttl: Literal["30m", "12h"] | None = None


class InputText(Frozen):
    """A text in a message to a grader model."""

    type: Literal["input_text"]
    text: str
    prompt_cache_breakpoint: PromptCacheBreakpoint | None = None


class OutputText(Frozen):
    """A text that a model has written."""

    type: Literal["output_text"]
    text: str


class InputImage(Frozen):
    """An image in a message to a grader model."""

    type: Literal["input_image"]
    image_url: str
    detail: str | None = None


class AudioData(Frozen):
    """A recording in base64."""

    data: str
    format: Literal["mp3", "wav"]


class InputAudio(Frozen):
    """A recording in a message to a grader model."""

    type: Literal["input_audio"]
    input_audio: AudioData


ContentPart: TypeAlias = Annotated[InputText | OutputText | InputImage | InputAudio, Field(discriminator="type")]


class GraderMessage(Frozen):
    """A message to a grader model; its texts may hold templates."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | ContentPart | tuple[str | ContentPart, ...]
    type: Literal["message"] | None = None


class SamplingParams(Frozen):
    """How a grader model is sampled."""

    max_completions_tokens: int | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    seed: int | None = None
    temperature: float | None = None
    top_p: float | None = None


class ScoreModel(Frozen):
    """The score that another model gives, in `range`, by default from 0 to 1."""

    type: Literal["score_model"]
    name: str
    model: str
    input: tuple[GraderMessage, ...]
    range: tuple[float, float] | None = None
    sampling_params: SamplingParams | None = None
    pass_threshold: float | None = None


class LabelModel(Frozen):
    """1 if the label that another model chooses among `labels` is one of `passing_labels`, else 0."""

    type: Literal["label_model"]
    name: str
    model: str
    input: tuple[GraderMessage, ...]
    labels: tuple[str, ...]
    passing_labels: tuple[str, ...]


PartGrader: TypeAlias = Annotated[
    StringCheck | TextSimilarity | PythonGrader | ScoreModel | LabelModel, Field(discriminator="type")
]
"""A grader that may be part of a `Multi`."""


class Multi(Frozen):
    """A formula, `calculate_output`, over the scores of several graders by name."""

    type: Literal["multi"]
    name: str | None = None
    graders: dict[str, PartGrader]
    calculate_output: str


Grader: TypeAlias = Annotated[
    StringCheck | TextSimilarity | PythonGrader | ScoreModel | LabelModel | Multi, Field(discriminator="type")
]
