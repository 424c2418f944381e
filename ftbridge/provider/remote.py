"""What is on the vendor's side, as a provider tells it: files, jobs, tuned models, deployments, replies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Self

from ftbridge.model import Frozen, Hyperparameters, Method, Result, Spec, Status


class Files(Frozen):
    """The provider's own ids of the uploaded files."""

    training: str
    validation: str | None = None


class RemoteJob(Frozen):
    """A job as the vendor tells it. `raw_status` is the vendor's word, kept whatever it is.

    `trained_tokens` and `cost_usd` are what the vendor bills, where it says so and the job is over; until then
    `estimate_tokens` and `estimate_usd`, over all epochs, are the vendor's own estimate.
    """

    remote_id: str
    status: Status
    raw_status: str
    error: str | None = None
    result: Result | None = None
    trained_tokens: int | None = None
    cost_usd: float | None = None
    estimate_tokens: int | None = None
    estimate_usd: float | None = None


class Listed(Frozen):
    """A job of the vendor's listing, with what the vendor tells of the request that made it.

    `tag` is ftbridge's own, where the job carries one. `hyperparameters` are those that have a name here
    and a value within our bounds; what the vendor filled in itself is among them where it does not tell the
    difference. `method` is `None` for one that ftbridge does not know. `grader` and `response_format`, of
    reinforcement, are in the vendor's own words.
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
    """A job with everything that its vendor tells of it, and its files on this machine.

    `fields` are the vendor's own, by dotted path. `meanings` names what a field means here: "model", "data",
    "validation", "method", "grader", "response_format", "name", "events", a hyperparameter, or "repeated" for a field
    that repeats another one. `warnings` names what could not be read.
    """

    listed: Listed
    fields: Mapping[str, Any]
    meanings: Mapping[str, str]
    training: Path | None = None
    validation: Path | None = None
    warnings: tuple[str, ...] = ()


class HostingTerms(Frozen):
    """What it costs to have a model deployed, and for how long it stays.

    `hourly_usd` is in US dollars for every hour that it is there, called or not: 0 where the vendor bills no
    hours, `None` where nobody knows. `billed_by` is what the vendor counts, `None` where nobody knows.
    `removed_after_hours` is when the vendor takes it down by itself, `None` for never.
    """

    hourly_usd: float | None = None
    billed_by: Literal["hour", "token"] | None = None
    removed_after_hours: float | None = None


class Deployment(Frozen):
    """A tuned model that the vendor serves, under the vendor's `name` for that.

    `hourly_usd` is as in `HostingTerms`, `tier` the vendor's word for how it is served, and `began_at` when it was
    deployed, where the vendor tells. `raw_status` is the vendor's word for why it does not answer, or not yet;
    "" where it does.
    """

    name: str
    model: str
    hourly_usd: float | None = None
    tier: str | None = None
    began_at: datetime | None = None
    raw_status: str = ""


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
    """What a model said; `str(reply)` is the text."""

    text: str
    model: str
    usage: Usage | None = None

    def __str__(self) -> str:
        return self.text
