"""The shared model: the spec that a user writes, the job that it becomes, and the events of that job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ftbridge.foreign.html_table import html_table
from ftbridge.foreign.values import Count, JsonObject, Message, Number, StoredPath, Text, Texts, TimeSeen


class Frozen(BaseModel):
    """Immutable data; unknown keys are refused. Its repr leaves out what has its default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        fields = type(self).model_fields
        for name, value in super().__repr_args__():
            if name not in fields or value != fields[name].get_default(call_default_factory=True, validated_data={}):
                yield name, value

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        """The same as a table, which notebooks show instead of the repr."""
        return html_table({name or "": value for name, value in self.__repr_args__()})


class Status(StrEnum):
    """The status of a job, the same at every provider."""

    SUBMITTING = "submitting"
    VALIDATING = "validating"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether the job has ended."""
        return self in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)


FINAL = tuple(status for status in Status if status.final)
"""The statuses of a job that has ended."""


class Unclear(StrEnum):
    """Why nobody knows whether a vendor has a job."""

    NOT_LISTED = "not_listed"
    """It was requested without a clear answer, and the vendor's listing does not show it."""
    OTHER_ACCOUNT = "other_account"
    """It was requested with an API key or base URL that is not the one that is set now."""


class Method(StrEnum):
    """How the model learns: from answers, from preferences, by reinforcement, or from a teacher's probabilities."""

    SFT = "sft"
    DPO = "dpo"
    RFT = "rft"
    DISTILL = "distill"


class Hyperparameters(Frozen):
    """The uniform hyperparameters. `None` leaves the choice to the provider.

    `learning_rate` is absolute and `learning_rate_multiplier` is a factor on the vendor's own rate: neither is ever
    converted to the other. The descriptions are the help of the command line's options.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    epochs: int | None = Field(None, ge=1, le=1000, description="Passes over the examples.")
    batch_size: int | None = Field(None, ge=1, description="Examples in one step.")
    learning_rate: float | None = Field(None, gt=0, le=1, description="Size of a step, absolute, such as 0.0002.")
    learning_rate_multiplier: float | None = Field(None, gt=0, description="Factor on the vendor's own learning rate.")
    warmup_ratio: float | None = Field(
        None, ge=0, le=1, description="Share of the steps, 0 to 1, in which the learning rate rises."
    )
    weight_decay: float | None = Field(None, ge=0, le=1, description="Pull of the weights towards 0, from 0 to 1.")
    seed: int | None = Field(
        None, ge=0, lt=2**31, description="Makes the order of examples and all other random choices repeatable."
    )
    lora_rank: int | None = Field(
        None, ge=1, le=1024, description="Rank of the adapter: a higher rank can learn more, and is larger."
    )
    lora_alpha: float | None = Field(
        None, gt=0, description="Scale of the adapter's update, which is divided by its rank."
    )
    lora_dropout: float | None = Field(
        None, ge=0, lt=1, description="Dropout probability of the adapter's inputs, from 0 to below 1."
    )
    tuning: Literal["lora", "rslora", "dora", "qlora", "full"] | None = Field(
        None, description="Which weights are trained: an adapter's, or all of them (full)."
    )
    max_seq_length: int | None = Field(None, ge=8, description="Tokens of the longest example.")
    precision: Literal["float32", "bfloat16"] | None = Field(None, description="Number format of the base's weights.")
    beta: float | None = Field(
        None, gt=0, description="For dpo: how close the model stays to its start, such as 0.1; higher is closer."
    )
    reasoning_effort: Literal["low", "medium", "high"] | None = Field(
        None, description="For rft: how hard the model thinks."
    )
    compute_multiplier: float | None = Field(None, gt=0, description="For rft: factor on the compute for exploration.")
    eval_interval: int | None = Field(None, ge=1, description="Steps between two evaluations on the validation file.")
    early_stopping: int | None = Field(None, ge=1, description="End after so many evaluations without an improvement.")
    devices: int | None = Field(None, ge=1, description="GPUs, or processes, that share each step.")
    train_reasoning: bool | None = Field(
        None, description="Train the reasoning before an answer, too; --no-train-reasoning: only read it."
    )
    eval_samples: int | None = Field(None, ge=1, description="For rft: answers sampled for each evaluation.")
    temperature: float | None = Field(
        None, gt=0, le=100, description="For distill: above 1, less probable tokens of the teacher count more."
    )

    def given(self) -> dict[str, int | float | str]:
        """Only those that were set, by name."""
        return self.model_dump(exclude_none=True)


class Spec(Frozen):
    """A job as the user specifies it.

    Reinforcement needs a `grader`, which scores the model's answers, and may constrain them by a `response_format`;
    both are in the vendor's format. Distillation needs a `teacher`, a target string. `format` and `map`, the names of a
    format for the files' columns, say how the files are read, where that was given.
    """

    target: str
    data: StoredPath
    validation: StoredPath | None = None
    method: Method = Method.SFT
    grader: dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    teacher: str | None = None
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters)
    name: str | None = Field(None, max_length=64)
    max_cost_usd: float | None = Field(None, ge=0, allow_inf_nan=False)
    format: str | None = None
    map: dict[str, str] | None = None


class Event(Frozen):
    """Something that happened to a job.

    Losses are means in nats, per trained token or, for preferences, per pair. `token_accuracy` is a ratio from 0 to 1;
    for preferences it is the share of pairs that are ranked correctly. Rewards are means of the grader's scores.
    `tokens` counts from the start of the job, `grad_norm` is before clipping, and `peak_memory` is in bytes.
    `cursor` is the provider's id of the event's position, unique within the job. `code` says, for programs, what a
    message of ftbridge's own is about: "queued" (the job waits here for a free slot), "overfitting", "unreadable",
    "deleted", "given_up" (ended here alone), "settings", "trained" (which weights are) or "rows" (which are learned).
    `hyperparameters` are all that the job trains with, given or chosen. `rows` has the number of those "learned", and
    up to 100 of those "not_learned", with the highest losses first: {"number": from 1, in the training file, "loss":
    nats per trained token}. Values that cannot be kept are replaced as `ftbridge.foreign` says: a time by that at which
    the event was seen.
    """

    at: TimeSeen
    kind: Literal["status", "message", "metric", "checkpoint"]
    cursor: Text = ""
    code: str | None = None
    status: Status | None = None
    message: Message | None = None
    step: Count = None
    total_steps: Count = None
    epoch: Number = None
    train_loss: Number = None
    valid_loss: Number = None
    train_reward: Number = None
    valid_reward: Number = None
    token_accuracy: Number = None
    learning_rate: Number = None
    tokens_per_second: Number = None
    tokens: Count = None
    grad_norm: Number = None
    peak_memory: Count = None
    hyperparameters: JsonObject = None
    rows: JsonObject = None

    def __str__(self) -> str:
        """The event as one line of text, without its time."""
        if self.kind == "status":
            return f"{self.status}" + (f": {self.message}" if self.message else "")
        of_all = f"/{self.total_steps}" if self.total_steps else ""
        step = [f"step {self.step}{of_all}"] if self.step is not None else []
        if self.kind != "metric":
            return self.message or " of ".join([self.kind, *step])
        metrics = ("loss", self.train_loss), ("validation loss", self.valid_loss)
        rewards = ("reward", self.train_reward), ("validation reward", self.valid_reward)
        known = [f"{name} {value:.3f}" for name, value in (*metrics, *rewards) if value is not None]
        speed = [f"{self.tokens_per_second:,.0f} tokens/s"] if self.tokens_per_second else []
        return "  ".join([*step, *known, *speed]) or self.kind


class RowLoss(Frozen):
    """The mean loss of a row in nats per trained token, and how many it has: no loss where there are none."""

    loss: float = 0.0
    tokens: int = 0


class Result(Frozen):
    """The result of a finished job: the id of a model, or a folder with an adapter, and the vendor's files.

    `step` is the step that the model is from, which need not be the last, and `valid_loss` its validation loss there,
    where the provider gives them.
    """

    model: Text | None = None
    path: StoredPath | None = None
    files: Texts = ()
    step: Count = None
    valid_loss: Number = None


class Checkpoint(Frozen):
    """The model at one step of its training; its id can be called, and trained further."""

    model: Text
    at: TimeSeen
    step: int
    train_loss: Number = None
    valid_loss: Number = None
    valid_reward: Number = None


class Latest(Frozen):
    """The newest metrics of a job."""

    step: int | None = None
    total_steps: int | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    train_reward: float | None = None
    valid_reward: float | None = None


class Cost(Frozen):
    """US dollars, and tokens as they are billed, over all epochs; `None` where unknown.

    The estimate is by the catalogue at the time of submission; the actual figures are the vendor's.
    """

    estimate_usd: float | None = None
    estimate_usd_high: float | None = None
    estimate_tokens: int | None = None
    actual_usd: float | None = None
    billed_tokens: int | None = None


class Job(Frozen):
    """The ledger's record of one run of a spec.

    `owner` submitted it, and `group` is what it belongs to. `home` is from where, as HOST/MACHINE:FOLDER,
    where several homes share a ledger. `queue_position` counts from 1 where the job waits here for a free slot at the
    provider, and `expected_start` is an estimate. `unclear` is set while it is unknown whether the vendor has the job,
    and says why; `unclear_until` is when the vendor's listing would show it, where that is known.
    """

    id: str
    name: str | None
    target: str
    status: Status
    raw_status: Message | None = None
    remote_id: str | None = None
    created_at: datetime
    finished_at: datetime | None = None
    spec: Spec
    latest: Latest = Field(default_factory=Latest)
    result: Result | None = None
    cost: Cost = Field(default_factory=Cost)
    error: Message | None = None
    owner: str | None = None
    home: str | None = None
    group: str | None = None
    queue_position: int | None = None
    expected_start: datetime | None = None
    unclear: Unclear | None = None
    unclear_until: datetime | None = None

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.status} {self.target}>"


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)
