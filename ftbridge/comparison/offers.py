"""What `compare` reports for one target."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ftbridge.costs.quote import Quote
from ftbridge.model import Frozen
from ftbridge.wording import dollars

ASSUMED_WATTS = 150.0
DAYS_A_MONTH = 30.4


class Machine(Frozen):
    """What an hour of the user's machine costs: `hourly_usd`, or `watts` at so many dollars a kilowatt-hour."""

    hourly_usd: float | None = None
    kwh_usd: float | None = None
    watts: float | None = None

    @property
    def usd_per_hour(self) -> float | None:
        """Dollars an hour, where the user has said enough."""
        if self.hourly_usd is not None or self.kwh_usd is None:
            return self.hourly_usd
        return self.kwh_usd * (self.watts or ASSUMED_WATTS) / 1000


class Offer(Frozen):
    """One target's row: dollars as in `Quote`, and what has to be known before choosing it. `None` is unknown.

    `request_usd` is the price of one request of the load, `seconds` the time to train. `open` says that new jobs are
    accepted, `usable` that one with this method and data would be, `only_from` whose, if not everybody's.
    `covers_months` says that the tuned model answers for all of the load's months, as far as is known; `answers_until`
    is its last day. Of `examined` rows each code of `changed` changes so many, and `impossible` cannot be converted.
    `unsupported` are the method and hyperparameters that the target does not support. `warnings` begin with those of
    `blocking`, which may rule the target out, and end with the sources of figures. `problem` is why there are no
    figures at all.
    """

    target: str
    examples: int
    tokens: int
    tokens_relative_error: float
    counter: str
    epochs: int | None
    billed_tokens: int | None
    training_usd: float | None
    training_usd_high: float | None
    minimum_usd: float | None
    monthly_usd: float | None
    request_usd: float | None
    inference_usd: float | None
    total_usd: float | None
    partial_total_usd: float
    seconds: float | None
    open: bool
    usable: bool
    only_from: str | None
    closes_on: date | None
    answers_until: date | None
    covers_months: bool
    examined: int
    changed: Mapping[str, int]
    impossible: int
    unsupported: tuple[str, ...]
    blocking: tuple[str, ...]
    warnings: tuple[str, ...]
    problem: str | None = None

    def __repr__(self) -> str:
        return f"<Offer {self.target} {'price not known' if self.total_usd is None else dollars(self.total_usd)}>"


def no_offer(text: str, examples: int, why: str) -> Offer:
    """The row of a target that cannot be judged."""
    unknown: dict[str, Any] = dict.fromkeys(Quote.model_fields)
    return Offer(
        target=text,
        examples=examples,
        tokens=0,
        tokens_relative_error=0.0,
        counter="",
        **{**unknown, "partial_total_usd": 0.0},
        request_usd=None,
        open=True,
        usable=False,
        only_from=None,
        closes_on=None,
        answers_until=None,
        covers_months=True,
        examined=0,
        changed={},
        impossible=0,
        unsupported=(),
        blocking=(why,),
        warnings=(why,),
        problem=why,
    )
