"""What to say about an offer: closing dates, limits, and what its price leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ftbridge.catalogue import Entry, Facts
from ftbridge.comparison.offers import ASSUMED_WATTS, Machine
from ftbridge.comparison.speed import Speed
from ftbridge.costs.quote import Load, Quote
from ftbridge.model import Method, Spec
from ftbridge.target import Target
from ftbridge.wording import counted, dollars


def closing(entry: Entry, day: date, covers_months: bool) -> Iterator[str]:
    """That the target is closed, opens later, or will close."""
    if closed := entry.closed_on(day):
        yield f"closed since {closed}" + (f": {entry.facts.closing}" if entry.facts.closing else "")
    elif entry.facts.only_from:
        yield f"takes jobs only from {entry.facts.only_from}"
    for what, end in entry.closing_soon(day).items():
        if covers_months or what == "training":
            yield f"{what} ends on {end}, in {counted((end - day).days, 'day')}"


def not_in_catalogue(target: Target) -> str:
    """That nothing is known of the model."""
    return f"no catalogue has this model, so it may not exist: ftbridge catalogue {target.provider}"


def unknown(facts: Facts, price: Quote, load: Load, machine: Machine, speed: Speed | None) -> Iterator[str]:
    """What the price leaves out, because it is not known, and how old the `speed` of this machine is."""
    if facts.own_machine:
        if machine.usd_per_hour is None:
            yield "the cost of this machine is unknown: give --machine-cost-per-hour, or --electricity-price"
        elif machine.hourly_usd is None and machine.watts is None:
            yield f"{ASSUMED_WATTS:.0f} W are assumed: --watts"
        if speed is None:
            yield "nothing has been trained here yet, so the time is not known: ftbridge compare --measure"
        else:
            yield (
                f"the time is that of the training steps by the speed of {speed.on}, which --measure measures anew,"
                " without checking rows and loading the model before them"
            )
    else:
        yield from _unknown_of_training(facts, price)
    if load.months and price.monthly_usd is None and not facts.own_machine:
        yield "what storage and hosting cost is not known"
    if load.months and price.inference_usd is None:
        yield "what requests cost is not known"


def _unknown_of_training(facts: Facts, price: Quote) -> Iterator[str]:
    hourly = facts.training_usd_per_hour
    if price.epochs is None:
        yield "how many epochs it would train is not known: --epochs"
    elif price.training_usd is None and hourly:
        most = "" if price.training_usd_high is None else f", {dollars(price.training_usd_high)} at most"
        yield f"it costs {dollars(hourly)} an hour{most}; the time is known once a job has trained there"
    elif price.training_usd is None:
        yield "its training price is not known"
    elif facts.minimum_usd_per_job is None:
        yield "whether there is a minimum charge is not known"


def limits(facts: Facts, spec: Spec) -> Iterator[str]:
    """The hyperparameters that are beyond the target's limits."""
    wanted = spec.hyperparameters
    context = facts.dpo_context_tokens if spec.method is Method.DPO else facts.sft_context_tokens
    limits = {
        "batch_size": facts.batch_size_at_most,
        "lora_rank": facts.lora_rank_at_most,
        "max_seq_length": context,
    }
    for name, limit in limits.items():
        value = getattr(wanted, name)
        if value is not None and limit is not None and value > limit:
            yield f"{name} {value} is more than its {limit}"


def used(spec: Spec, load: Load, validation: bool) -> list[str]:
    """The facts that the prices depend on."""
    full = "full_" if spec.hyperparameters.tuning == "full" else ""
    names = [f"{full}{spec.method}_usd_per_million_tokens", "minimum_usd_per_job", "training_closes_on"]
    names += ["default_epochs"] if spec.hyperparameters.epochs is None else []
    names += ["bills_validation"] if validation else []
    if load.months:
        names += ["storage_usd_per_month", "hosting_usd_per_hour", "inference_closes_on"]
    if load.requests_per_month:
        names += ["input_usd_per_million_tokens", "output_usd_per_million_tokens"]
    return names
