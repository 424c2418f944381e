"""What exists at the vendor, as providers describe it: files, jobs, tuned models, deployments, replies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Self

from ftbridge.model import Frozen, Hyperparameters, Method, Redacted, Result, Spec, Status


class Files(Frozen):
    """The provider's own ids of the uploaded files."""

    training: str
    validation: str | None = None


class RemoteJob(Frozen):
    """A job as the vendor describes it. `raw_status` is the vendor's own status.

    `trained_tokens` and `cost_usd` are what the vendor bills, where it says so and the job has ended; until then
    `estimate_tokens` and `estimate_usd`, over all epochs, are the vendor's own estimate.
    """

    remote_id: str
    status: Status
    raw_status: Redacted
    error: Redacted | None = None
    result: Result | None = None
    trained_tokens: int | None = None
    cost_usd: float | None = None
    estimate_tokens: int | None = None
    estimate_usd: float | None = None


class Listed(Frozen):
    """A job of the vendor's listing, with what the vendor says about the request that created it.

    `tag` is ftbridge's own, where the job carries one. `hyperparameters` are those that exist here, with values within
    our bounds; they include the vendor's defaults where it does not distinguish them. `method` is `None` where
    ftbridge does not know it. `grader` and `response_format`, for reinforcement, are in the vendor's format.
    """

    remote: RemoteJob
    tag: str | None = None
    model: str
    method: Method | None = None
    grader: dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    hyperparameters: Hyperparameters = Hyperparameters()
    name: str | None = None
    training_file: str
    validation_file: str | None = None
    created_at: datetime
    finished_at: datetime | None = None

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
    warnings: tuple[Redacted, ...] = ()


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

    name: str
    model: str
    hourly_usd: float | None = None
    tier: str | None = None
    began_at: datetime | None = None
    raw_status: Redacted = ""


class TunedModel(Frozen):
    """A tuned model at the vendor, its base, and the last day on which it answers, where the vendor says so."""

    model: str
    base: str
    closes_on: date | None = None


class Usage(Frozen):
    """Tokens of one reply."""

    prompt_tokens: int
    completion_tokens: int


class Reply(Frozen):
    """A model's answer; `str(reply)` is the text."""

    text: str
    model: str
    usage: Usage | None = None

    def __str__(self) -> str:
        return self.text
