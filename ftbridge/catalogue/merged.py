"""The rows of all catalogues together: the facts about a model, how old they are, and what has closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import zip_longest
from typing import Any

from ftbridge.catalogue.facts import Facts, Row
from ftbridge.model import Frozen, Method

STALE = timedelta(days=90)
"""Older rows are reported as old."""
SOON = timedelta(days=90)
"""Closing dates nearer than this are reported."""


class Entry(Frozen):
    """The known facts about one model, and the row of each; `named` where a row names the model in full."""

    provider: str
    model: str
    named: bool
    facts: Facts
    rows: Mapping[str, Row]

    def doubts(self, today: date, facts: Iterable[str]) -> list[str]:
        """Warnings about those of `facts` that are known: how old they are, and how reliable."""
        # facts about the user's own machine belong to the code and do not age
        used = {id(row): row for name in facts if (row := self.rows.get(name)) and not row.own_machine}
        warnings = []
        for row in used.values():
            old = today - row.as_of > STALE
            if old or row.doubt or row.confidence != "official":
                age = f", {(today - row.as_of).days} days old" if old else ""
                warnings.append(f"{row.doubt or f'{row.confidence} figures'}{age} ({row.source}, {row.as_of})")
        return warnings

    def closed_on(self, today: date) -> date | None:
        """The day after which no new jobs are taken, if that is past."""
        closing = self.closes_on
        return closing if closing and closing < today else None

    @property
    def closes_on(self) -> date | None:
        """The earlier of the last days of training and of inference."""
        known = (self.facts.training_closes_on, self.facts.inference_closes_on)
        return min((day for day in known if day), default=None)

    def closing_soon(self, today: date) -> dict[str, date]:
        """The closing dates within 90 days, of `training` and of `inference`."""
        ends = {"training": self.facts.training_closes_on, "inference": self.facts.inference_closes_on}
        return {what: day for what, day in ends.items() if day and today <= day <= today + SOON}

    def is_open(self, today: date, method: Method) -> bool:
        """Whether new jobs by `method` are known to be accepted from every account."""
        opened = self.facts.opens_on is None or self.facts.opens_on <= today
        to_all = self.facts.only_from is None
        return opened and to_all and self.closed_on(today) is None and method in (self.facts.methods or ())


class Catalogue:
    """All rows; later ones win."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)

    def entry(self, provider: str, model: str, live: Iterable[Row] = ()) -> Entry:
        """The facts about a model; those in `live`, which the vendor gives now, win."""
        facts: dict[str, Any] = {}
        rows: dict[str, Row] = {}
        named = False
        for row in (*self.rows, *live):
            if row.fits(provider, model):
                given = row.given()
                facts |= given
                rows |= dict.fromkeys(given, row)
                named = named or model in row.models
        # the rows have been validated one by one, and a price of 0 is allowed only here
        known = Facts.model_construct(**facts)
        return Entry.model_construct(provider=provider, model=model, named=named, facts=known, rows=rows)

    def entries(self) -> Iterator[Entry]:
        """Every model that is named in full, each once."""
        named = dict.fromkeys((row.provider, model) for row in self.rows for model in row.named)
        return (self.entry(provider, model) for provider, model in named)

    def alternatives(self, today: date, method: Method, *, instead_of: str, count: int = 3) -> list[str]:
        """Targets that are open for `method`: the first of each provider, then the second of each, and so on."""
        groups: dict[str, list[str]] = {}
        for entry in self.entries():
            if entry.is_open(today, method) and not entry.facts.trial and not entry.closing_soon(today):
                groups.setdefault(entry.provider, []).append(f"{entry.provider}:{entry.model}")
        rounds = zip_longest(*(groups[provider] for provider in sorted(groups)))
        return [target for turn in rounds for target in turn if target and target != instead_of][:count]
