"""What callers give by keyword, as types: a type checker finds `epoch=3`, and an editor completes `epochs`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias, TypedDict

from msgspec import Meta
from pydantic import BaseModel

_Count = Annotated[int, Meta(ge=1)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_NotNegative = Annotated[float, Meta(ge=0)]


Tuning: TypeAlias = Literal["lora", "rslora", "dora", "qlora", "full"]
Precision: TypeAlias = Literal["float32", "bfloat16"]
Effort: TypeAlias = Literal["low", "medium", "high"]


class HyperparameterArguments(TypedDict, total=False):
    """The fields of `Hyperparameters`, which has their bounds and descriptions. `None` is as good as left out."""

    epochs: int | None
    batch_size: int | None
    learning_rate: float | None
    learning_rate_multiplier: float | None
    warmup_ratio: float | None
    weight_decay: float | None
    seed: int | None
    lora_rank: int | None
    lora_alpha: float | None
    lora_dropout: float | None
    tuning: Tuning | None
    max_seq_length: int | None
    precision: Precision | None
    beta: float | None
    reasoning_effort: Effort | None
    compute_multiplier: float | None
    eval_interval: int | None
    early_stopping: int | None
    devices: int | None
    train_reasoning: bool | None
    eval_samples: int | None
    temperature: float | None


class SweepArguments(TypedDict, total=False):
    """The same, each as one value or several: the trials of a sweep are their combinations.

    Those of rft and distill are not among them, by which a sweep does not train.
    """

    epochs: int | Sequence[int] | None
    batch_size: int | Sequence[int] | None
    learning_rate: float | Sequence[float] | None
    learning_rate_multiplier: float | Sequence[float] | None
    warmup_ratio: float | Sequence[float] | None
    weight_decay: float | Sequence[float] | None
    seed: int | Sequence[int] | None
    lora_rank: int | Sequence[int] | None
    lora_alpha: float | Sequence[float] | None
    lora_dropout: float | Sequence[float] | None
    tuning: Tuning | Sequence[Tuning] | None
    max_seq_length: int | Sequence[int] | None
    precision: Precision | Sequence[Precision] | None
    beta: float | Sequence[float] | None
    eval_interval: int | Sequence[int] | None
    early_stopping: int | Sequence[int] | None
    devices: int | Sequence[int] | None
    train_reasoning: bool | Sequence[bool] | None


class ChatOptions(TypedDict, total=False):
    """The options of a chat completion, by OpenAI's names, and those that several vendors have beside them.

    A provider refuses what it does not have. `max_tokens` is the most tokens of an answer, and `temperature` 0 the
    most probable answer.
    """

    max_tokens: _Count
    max_completion_tokens: _Count
    temperature: _NotNegative
    top_p: _Share
    top_k: int
    min_p: _Share
    seed: int
    stop: str | list[str]
    frequency_penalty: float
    presence_penalty: float
    repetition_penalty: float
    logit_bias: dict[str, float]
    logprobs: bool | int
    top_logprobs: int
    response_format: dict[str, Any]
    tool_choice: str | dict[str, Any]
    parallel_tool_calls: bool
    reasoning_effort: str
    extra_body: dict[str, Any]
    """Fields of the request by the vendor's own names, sent as they are."""


def one_or_more(given: Any) -> list[Any]:
    """A list of what was given: one string or job, or several of them."""
    is_one = isinstance(given, str | BaseModel) or not isinstance(given, Iterable)
    return [given] if is_one else list(given)


_AGO = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36_500)


def read_age(text: str) -> timedelta | None:
    """How long ago, as "30d", "1.5h" or "2w" (m, h, d, w); `None` for what is no such text, or over a hundred years."""
    match = _AGO.fullmatch(text.strip())
    age = timedelta(**{_UNITS[match[2]]: float(match[1])}) if match else None
    return age if age is not None and age <= _LONGEST else None
