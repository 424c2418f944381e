"""Before anything is uploaded: does the target still accept new jobs?"""

from __future__ import annotations

from datetime import date

from ftbridge.catalogue import Entry, today
from ftbridge.catalogue.known_models import find_unknown
from ftbridge.context import Context
from ftbridge.errors import ProviderRetired
from ftbridge.model import Method
from ftbridge.target import Target
from ftbridge.wording import clause


def check_open(context: Context, target: Target, method: Method) -> None:
    """Raises `ProviderRetired` if the target accepts no new jobs; warns of what will close soon.

    First by the catalogue, without a key or a network, and then by what the vendor itself reports. A mock, or a
    service at another address, is only warned of, because it may go on after the vendor has closed. A model that
    nobody knows is warned of, with the one that was meant.
    """
    provider, day = context.provider(target), today()
    if provider.connects_to_vendor:
        _refuse_closed(context, target, context.entry(target), method)
    _ = provider.account  # raises without a key
    entry = context.entry(target, live=True)
    if provider.connects_to_vendor:
        _refuse_closed(context, target, entry, method)
    if closed := entry.closed_on(day):
        context.warn(f"{_why(entry)} (since {closed}); {target} is not the vendor itself, so it is tried all the same")
    else:
        _warn_of_limits(context, target, entry, day)
    if unknown := find_unknown(context.catalogue, target, entry):
        context.warn(f"{unknown.message}. {clause(unknown.fix)}")


def _warn_of_limits(context: Context, target: Target, entry: Entry, day: date) -> None:
    what_ends = {"training": "takes new jobs", "inference": "serves tuned models"}
    ends = entry.closing_soon(day)
    limits = [f"{what_ends[what]} until {end}, for {(end - day).days} more days" for what, end in ends.items()]
    if entry.facts.only_from:
        limits.insert(0, f"takes jobs only from {entry.facts.only_from}")
    if limits:
        context.warn(f"{target} {', and '.join(limits)}")


def _refuse_closed(context: Context, target: Target, entry: Entry, method: Method) -> None:
    closed = entry.closed_on(today())
    if closed is None:
        return
    others = context.catalogue.alternatives(today(), method, instead_of=str(target))
    raise ProviderRetired(
        f"{_why(entry)} ({closed}, {_sources(entry)})",
        provider=target.provider,
        hint=f"Open for {method}: {', '.join(others)}. `ftbridge compare` prices them for your data."
        if others
        else f"No installed provider is known to be open for {method}.",
    )


def _why(entry: Entry) -> str:
    return entry.facts.closing or f"{entry.provider} takes no new jobs for {entry.model}"


def _sources(entry: Entry) -> str:
    rows = [entry.rows[name] for name in ("training_closes_on", "inference_closes_on") if name in entry.rows]
    return ", ".join(dict.fromkeys(row.source for row in rows))
