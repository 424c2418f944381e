"""The facts that a row of a catalogue may hold about models, and their source."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ftbridge.model import Frozen, Method

Dollars = Annotated[float, Field(gt=0)]
Tokens = Annotated[int, Field(ge=1)]

PRICES = (
    "sft_usd_per_million_tokens",
    "dpo_usd_per_million_tokens",
    "full_sft_usd_per_million_tokens",
    "full_dpo_usd_per_million_tokens",
    "training_usd_per_hour",
    "minimum_usd_per_job",
    "input_usd_per_million_tokens",
    "output_usd_per_million_tokens",
    "base_input_usd_per_million_tokens",
    "base_output_usd_per_million_tokens",
    "storage_usd_per_month",
    "hosting_usd_per_hour",
)


class Facts(Frozen):
    """The facts about a model; `None` is unknown.

    Prices are in US dollars and never 0: what costs nothing is named in a row's `free`. Training is priced by the
    token (`full_…` where all weights are trained) or by the hour; `minimum_usd_per_job` is the minimum charge.
    Input and output are tokens that a tuned model reads and writes, or, with `base_`, the model itself.
    After `training_hours_at_most` a job is stopped, whether it is finished or not.
    `storage_usd_per_month` is for a stored tuned model, `hosting_usd_per_hour` for a deployed one. With `own_machine`,
    hours are those of the user's machine, at the user's price.

    A job without epochs gets `default_epochs`, unless these are fewer examples than `passes_at_least` (then as many
    epochs as reach it, up to `epochs_at_most`) or more than `passes_at_most` (then as many as stay below). With
    `bills_validation` the validation file is billed once an epoch; without `packing` each example is billed at the
    full sequence length.

    `training_closes_on` is the last day on which jobs can be created, `inference_closes_on` the last on which tuned
    models answer. `only_from` says which accounts can create jobs, where not all can. A model for `trial` is for
    experiments, and never recommended.
    """

    methods: tuple[Method, ...] | None = None
    sft_usd_per_million_tokens: Dollars | None = None
    dpo_usd_per_million_tokens: Dollars | None = None
    full_sft_usd_per_million_tokens: Dollars | None = None
    full_dpo_usd_per_million_tokens: Dollars | None = None
    training_usd_per_hour: Dollars | None = None
    minimum_usd_per_job: Dollars | None = None
    input_usd_per_million_tokens: Dollars | None = None
    output_usd_per_million_tokens: Dollars | None = None
    base_input_usd_per_million_tokens: Dollars | None = None
    base_output_usd_per_million_tokens: Dollars | None = None
    storage_usd_per_month: Dollars | None = None
    hosting_usd_per_hour: Dollars | None = None
    training_hours_at_most: Annotated[float, Field(gt=0)] | None = None
    own_machine: bool | None = None

    default_epochs: Annotated[int, Field(ge=1)] | None = None
    passes_at_least: Annotated[int, Field(ge=1)] | None = None
    passes_at_most: Annotated[int, Field(ge=1)] | None = None
    epochs_at_most: Annotated[int, Field(ge=1)] | None = None
    bills_validation: bool | None = None
    packing: bool | None = None

    sft_context_tokens: Tokens | None = None
    dpo_context_tokens: Tokens | None = None
    batch_size_at_most: Annotated[int, Field(ge=1)] | None = None
    lora_rank_at_most: Annotated[int, Field(ge=1)] | None = None

    opens_on: date | None = None
    training_closes_on: date | None = None
    inference_closes_on: date | None = None
    closing: str | None = None
    only_from: str | None = None
    trial: bool | None = None


class Row(Facts):
    """Some facts about some models, from one source as it was on one day.

    `models` are names or shell patterns ("*" is every model of the provider). `doubt` is shown wherever the row's facts
    are. Where several rows hold a fact about one model, the last wins.
    """

    provider: str
    models: Annotated[tuple[str, ...], Field(min_length=1)]
    free: tuple[str, ...] = ()
    source: Annotated[str, Field(min_length=1)]
    as_of: date
    confidence: Literal["official", "derived", "third-party"]
    doubt: str = ""

    @model_validator(mode="after")
    def _prices_have_one_meaning(self) -> Row:
        for name in self.free:
            if name not in PRICES:
                raise ValueError(f"free names {name!r}, which is not a price")
            if getattr(self, name) is not None:
                raise ValueError(f"{name} has a price and is free")
        return self

    def fits(self, provider: str, model: str) -> bool:
        """Whether the row is about this model."""
        return self.provider == provider and any(fnmatchcase(model, pattern) for pattern in self.models)

    @property
    def named(self) -> list[str]:
        """The models whose names are not patterns."""
        return [model for model in self.models if not any(sign in model for sign in "*?[")]

    def given(self) -> dict[str, Any]:
        """The known facts by name; the price of what is free is 0."""
        facts = {name: value for name in Facts.model_fields if (value := getattr(self, name)) is not None}
        return facts | dict.fromkeys(self.free, 0.0)
