"""What exists at the vendor, as providers describe it: files, jobs, tuned models, deployments, replies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field

from ftbridge.foreign.values import Count, Id, JsonObject, LongText, Message, Money, Text, Time, TimeSeen
from ftbridge.model import Frozen, Hyperparameters, Method, Result, Spec, Status


class Files(Frozen):
    """The provider's own ids of the uploaded files."""

    training: Text
    validation: Text | None = None


class RemoteJob(Frozen):
    """A job as the vendor describes it. `raw_status` is the vendor's own status.

    `trained_tokens` and `cost_usd` are what the vendor bills, where it says so and the job has ended; until then
    `estimate_tokens` and `estimate_usd`, over all epochs, are the vendor's own estimate.
    """

    remote_id: Id
    status: Status
    raw_status: Message
    error: Message | None = None
    result: Result | None = None
    trained_tokens: Count = None
    cost_usd: Money = None
    estimate_tokens: Count = None
    estimate_usd: Money = None

    @classmethod
    def unreadable(cls, remote_id: str, why: str) -> Self:
        """A job whose description cannot be read: `unknown` until it can, so that it stops no other job."""
        return cls(remote_id=remote_id, status=Status.UNKNOWN, raw_status="unreadable", error=why)


class Listed(Frozen):
    """A job of the vendor's listing, with what the vendor says about the request that created it.

    `tag` is ftbridge's own, where the job carries one. `hyperparameters` are those that exist here, with values within
    our bounds; they include the vendor's defaults where it does not distinguish them. `method` is `None` where
    ftbridge does not know it. `grader` and `response_format`, for reinforcement, are in the vendor's format.
    """

    remote: RemoteJob
    tag: Text | None = None
    model: Text
    method: Method | None = None
    grader: JsonObject = None
    response_format: JsonObject = None
    hyperparameters: Hyperparameters = Hyperparameters()
    name: Text | None = None
    training_file: Text
    validation_file: Text | None = None
    created_at: TimeSeen
    finished_at: Time = None

    @property
    def names(self) -> tuple[str | None, ...]:
        """By what the job can be found: its own id, and the model that it made."""
        return self.remote.remote_id, self.remote.result.model if self.remote.result else None

    @classmethod
    def of(cls, remote: RemoteJob, spec: Spec, model: str, files: Files, **more: Any) -> Self:
        """A job of `spec`, for vendors that keep the request as it was; `more` are further fields."""
        return cls(
            remote=remote,
            model=model,
            method=spec.method,
            grader=spec.grader,
            response_format=spec.response_format,
            hyperparameters=spec.hyperparameters,
            name=spec.name,
            training_file=files.training,
            validation_file=files.validation,
            **more,
        )


class ImportedJob(Frozen):
    """A job with everything that its vendor says about it, and its files on this machine.

    `fields` are the vendor's own, by dotted path. `meanings` names what a field means here: "model", "data",
    "validation", "method", "grader", "response_format", "name", "events", a hyperparameter, or "repeated" for a field
    that repeats another one. `warnings` names what could not be read.
    """

    listed: Listed
    fields: Mapping[str, Any]
    meanings: Mapping[str, str]
    training: Path | None = None
    validation: Path | None = None
    warnings: tuple[Message, ...] = ()


class HostingTerms(Frozen):
    """What it costs to have a model deployed, and for how long it stays.

    `hourly_usd` is in US dollars for every hour that it is there, called or not: 0 where the vendor bills no
    hours, `None` where that is unknown. `billed_by` is what the vendor bills, `None` where that is unknown.
    `removed_after_hours` is when the vendor takes it down by itself, `None` for never.
    """

    hourly_usd: float | None = None
    billed_by: Literal["hour", "token"] | None = None
    removed_after_hours: float | None = None


class Deployment(Frozen):
    """A tuned model that the vendor serves, under the vendor's `name` for that.

    `hourly_usd` is as in `HostingTerms`, `tier` the vendor's name of how it is served, and `began_at` when it was
    deployed, where the vendor says so. `raw_status` is the vendor's status of one that does not answer, or not yet;
    "" for one that does.
    """

    name: Text
    model: Text
    hourly_usd: Money = None
    tier: Text | None = None
    began_at: Time = None
    raw_status: Message = ""


class TunedModel(Frozen):
    """A tuned model at the vendor, its base, and the last day on which it answers, where the vendor says so."""

    model: Text
    base: Text
    closes_on: date | None = None


class Usage(Frozen):
    """Tokens of one reply."""

    prompt_tokens: int
    completion_tokens: int


class Reply(Frozen):
    """A model's answer; `str(reply)` is the text. `reasoning` is what the model thought before it, where it is told.

    `finish_reason` says why the answer ends, in OpenAI's words: "stop" where the model ended it, and "length" at
    `max_tokens` or where the context is full. None where the provider does not say. `tool_calls` are those that the
    model makes, as OpenAI has them, and `refusal` is why it does not answer.
    """

    text: LongText
    model: Text
    usage: Usage | None = None
    reasoning: LongText | None = None
    finish_reason: Text | None = None
    tool_calls: tuple[dict[str, Any], ...] = Field((), exclude_if=lambda calls: not calls)
    refusal: LongText | None = Field(None, exclude_if=lambda refusal: refusal is None)

    def __str__(self) -> str:
        return self.text
