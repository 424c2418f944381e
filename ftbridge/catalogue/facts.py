"""What a catalogue's row may say of a model, and where it has it from."""

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
    "storage_usd_per_month",
    "hosting_usd_per_hour",
)


class Facts(Frozen):
    """What may be known of a model; `None` is unknown.

    Prices are in US dollars and never 0: what costs nothing is named in a row's `free`. Training is
    priced by the token (`full_…` where all weights are trained) or by the hour; a job that is smaller
    than that costs `minimum_usd_per_job`.
    `storage_usd_per_month` is for a tuned model that is kept, `hosting_usd_per_hour` for one that can
    be called. `own_machine` says that hours are those of the user's machine, at the user's price.

    Where a job names no epochs, it gets `default_epochs`, unless these would show fewer examples than
    `passes_at_least` (then as many as reach that, up to `epochs_at_most`) or more than `passes_at_most`
    (then as many as stay below). With `bills_validation` each look at the validation file is billed,
    one an epoch; without `packing` each example is billed at the full sequence length.

    `training_closes_on` and `inference_closes_on` are the last days on which new jobs are taken and
    tuned models answer; `only_from` says whose jobs are taken, where not everybody's are. A model for
    `trial` is there to try things, and recommended to nobody.
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
    storage_usd_per_month: Dollars | None = None
    hosting_usd_per_hour: Dollars | None = None
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

    `models` are names or shell patterns ("*" is every model of the provider). `doubt` is said wherever
    the row's facts are. Where several rows speak of a model, the last to name a fact holds.
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
                raise ValueError(f"free names {name!r}, which is no price")
            if getattr(self, name) is not None:
                raise ValueError(f"{name} has a price and is free")
        return self

    def fits(self, provider: str, model: str) -> bool:
        """Whether the row speaks of this model."""
        return self.provider == provider and any(fnmatchcase(model, pattern) for pattern in self.models)

    @property
    def named(self) -> list[str]:
        """The models that it names in full."""
        return [model for model in self.models if not any(sign in model for sign in "*?[")]

    def given(self) -> dict[str, Any]:
        """Its facts by name; a price that is known to be nothing is 0."""
        told = {name: value for name in Facts.model_fields if (value := getattr(self, name)) is not None}
        return told | dict.fromkeys(self.free, 0.0)
