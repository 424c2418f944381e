"""From facts, a dataset and a load to figures. A figure that needs something unknown is unknown, never 0."""

from __future__ import annotations

from pydantic import Field

from ftbridge.catalogue.facts import Facts
from ftbridge.costs.billable_work import Work
from ftbridge.model import Frozen, Method

HOURS_A_MONTH = 730.0
MOST_MONTHS, MOST_REQUESTS, MOST_TOKENS = 1200, 1e12, 1e9
"""Beyond these a load is a typing mistake."""


class Load(Frozen):
    """What the tuned model is expected to do: for so many months, so many requests of so many tokens."""

    months: float = Field(1.0, ge=0, le=MOST_MONTHS)
    requests_per_month: float = Field(0.0, ge=0, le=MOST_REQUESTS)
    tokens_in: float = Field(500.0, ge=0, le=MOST_TOKENS)
    tokens_out: float = Field(200.0, ge=0, le=MOST_TOKENS)


class Quote(Frozen):
    """US dollars; `None` is unknown.

    `training_usd` is paid once and includes the minimum charge, `training_usd_high` is a bound that it cannot exceed.
    `monthly_usd` is storage and hosting, `inference_usd` the requests of a month. `total_usd` is all of it over the
    load's months, `partial_total_usd` what of it is known.
    """

    epochs: int | None
    billed_tokens: int | None
    seconds: float | None
    training_usd: float | None
    training_usd_high: float | None
    minimum_usd: float | None
    monthly_usd: float | None
    inference_usd: float | None
    total_usd: float | None
    partial_total_usd: float


def quote(facts: Facts, work: Work, load: Load, *, tokens_per_second: float | None = None) -> Quote:
    """What `work` and `load` come to by `facts`; `tokens_per_second` is how fast the provider trains, where known."""
    epochs = epochs_of(facts, work)
    billed = _billed(facts, work, epochs, work.tokens, work.validation_tokens)
    upper = _billed(facts, work, epochs, work.tokens_at_most, work.validation_tokens_at_most)
    seconds = work.tokens * epochs / tokens_per_second if epochs and tokens_per_second else None
    training = _training(facts, work, billed, seconds)
    high = most_by_the_hour(facts)
    if high is None:
        high = _training(facts, work, upper, seconds * (1 + work.tokens_relative_error) if seconds else None)
    monthly = _sum(facts.storage_usd_per_month, _times(facts.hosting_usd_per_hour, HOURS_A_MONTH))
    inference = _inference(facts, load)
    each_month = _sum(monthly, inference)
    later = 0.0 if not load.months else _times(each_month, load.months)
    known = (training or 0.0) + load.months * ((monthly or 0.0) + (inference or 0.0))
    return Quote(
        epochs=epochs,
        billed_tokens=billed,
        seconds=seconds,
        training_usd=training,
        training_usd_high=high,
        minimum_usd=facts.minimum_usd_per_job,
        monthly_usd=monthly,
        inference_usd=inference,
        total_usd=_sum(training, later),
        partial_total_usd=known,
    )


def billed_usd(facts: Facts, method: Method, *, full: bool, tokens: int) -> float | None:
    """What a vendor charges for training on so many billed tokens; `None` where its price is not known."""
    return _training(facts, Work(method=method, full=full, examples=0, tokens=0), tokens, None)


def most_by_the_hour(facts: Facts) -> float | None:
    """What all hours that a job may take cost; `None` where it is not billed by the hour, or not stopped."""
    return _times(facts.training_usd_per_hour, facts.training_hours_at_most)


def epochs_of(facts: Facts, work: Work) -> int | None:
    """The epochs requested, or those that the vendor would choose."""
    if work.epochs or not facts.default_epochs:
        return work.epochs
    passes = work.examples * facts.default_epochs
    if work.examples and facts.passes_at_least and passes < facts.passes_at_least:
        enough = facts.passes_at_least // work.examples
        return max(1, min(enough, facts.epochs_at_most or enough))
    if facts.passes_at_most and passes > facts.passes_at_most:
        return max(1, facts.passes_at_most // work.examples)
    return facts.default_epochs


def _billed(facts: Facts, work: Work, epochs: int | None, tokens: int | None, held: int | None) -> int | None:
    if epochs is None:
        return None
    if facts.packing is False:
        context = facts.dpo_context_tokens if work.method is Method.DPO else facts.sft_context_tokens
        length = work.max_seq_length or context
        if length is None:
            return None
        tokens = work.examples * length
    validations = epochs if facts.bills_validation else 0
    if tokens is None or (validations and held is None):
        return None
    return epochs * tokens + validations * (held or 0)


def _training(facts: Facts, work: Work, billed: int | None, seconds: float | None) -> float | None:
    by_token = {
        (Method.SFT, False): facts.sft_usd_per_million_tokens,
        (Method.DPO, False): facts.dpo_usd_per_million_tokens,
        (Method.SFT, True): facts.full_sft_usd_per_million_tokens,
        (Method.DPO, True): facts.full_dpo_usd_per_million_tokens,
    }
    price = _times(by_token.get((work.method, work.full)), billed / 1e6 if billed is not None else None)
    if price is None:
        price = _times(facts.training_usd_per_hour, seconds / 3600 if seconds is not None else None)
    return None if price is None else max(price, facts.minimum_usd_per_job or 0.0)


def _inference(facts: Facts, load: Load) -> float | None:
    if not load.requests_per_month:
        return 0.0
    read = _times(facts.input_usd_per_million_tokens, load.tokens_in / 1e6)
    written = _times(facts.output_usd_per_million_tokens, load.tokens_out / 1e6)
    return _times(_sum(read, written), load.requests_per_month)


def _times(price: float | None, amount: float | None) -> float | None:
    return None if price is None or amount is None else price * amount


def _sum(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
