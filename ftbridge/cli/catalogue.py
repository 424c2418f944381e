"""`models`: what the catalogues know of each model that is named in them, and where they have it from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ftbridge.catalogue import STALE, Entry, Row, today
from ftbridge.cli.output import AsJson, console, fits, open_bridge, print_json, show, show_note, table
from ftbridge.errors import TargetError
from ftbridge.plugins import provider_names

_SHOWN = ("methods", "sft_usd_per_million_tokens", "training_closes_on", "inference_closes_on", "only_from", "opens_on")
"""The facts that are told in text; --json has all."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(models)


def models(
    provider: Annotated[str | None, typer.Argument(help="Only this provider's.")] = None,
    as_json: AsJson = False,
) -> None:
    """The models that can be trained: what is open, what closes when, what training costs, and where that is from."""
    if provider and provider not in provider_names():
        raise TargetError(f"no provider is called {provider!r}", hint=f"Installed: {', '.join(provider_names())}.")
    entries = [entry for entry in open_bridge().catalogue.entries() if provider in (None, entry.provider)]
    entries.sort(key=lambda entry: (entry.provider, entry.closed_on(today()) is not None))
    if as_json:
        print_json({"models": [_document(entry) for entry in entries]})
    else:
        _print_models(entries)


def _print_models(entries: Sequence[Entry]) -> None:
    """A table where there is room for every name whole, else a paragraph a model; below it the sources, numbered."""
    sources = list(dict.fromkeys(_source(row) for entry in entries for row in _rows(entry)))
    rows = []
    for entry in entries:
        places = dict.fromkeys(str(sources.index(_source(row)) + 1) for row in _rows(entry))
        methods = ", ".join(entry.facts.methods or ()) or "?"
        rows.append([f"{entry.provider}:{entry.model}", methods, _price(entry), _standing(entry), " ".join(places)])
    headers = ["target", "methods", "$ a million tokens", "standing", "from"]
    if fits(headers, rows):
        console().print(table(headers, rows, right=(2,)))
    else:
        for target, methods, price, standing, numbers in rows:
            show(target)
            cost = f"{price} a million tokens" if price.startswith("$") else f"price: {price}"
            show_note(f"{methods}; {cost}; {standing}" + (f"; from {numbers}" if numbers else ""))
    for place, source in enumerate(sources, 1):
        show_note(f"{place}: {source}")


def _rows(entry: Entry) -> list[Row]:
    """The rows of what is told in text, but for those that a package has of the user's own machine."""
    return [row for name in _SHOWN if (row := entry.rows.get(name)) and not row.own_machine]


def _source(row: Row) -> str:
    age = today() - row.as_of
    said = [f"{row.source}, {row.as_of}" + (f", {age.days} days old" if age > STALE else "") + f", {row.confidence}"]
    said += [f"takes jobs only from {row.only_from}"] if row.only_from else []
    said += [row.doubt] if row.doubt else []
    return "; ".join(said)


def _document(entry: Entry) -> dict[str, Any]:
    """A model as `--json` prints it: what is known, and for each fact where it is from."""
    known = {name: getattr(entry.facts, name) for name in entry.rows}
    sources = {
        name: {"source": row.source, "as_of": row.as_of.isoformat(), "confidence": row.confidence, "doubt": row.doubt}
        for name, row in entry.rows.items()
    }
    return {
        "target": f"{entry.provider}:{entry.model}",
        "open": entry.closed_on(today()) is None,
        "facts": {name: str(value) if hasattr(value, "isoformat") else value for name, value in known.items()},
        "sources": sources,
    }


def _price(entry: Entry) -> str:
    if entry.facts.own_machine:
        return "this machine's"
    price = entry.facts.sft_usd_per_million_tokens
    if price is None:
        return "?"
    return f"${price:,.2f}" if round(price, 2) == price else f"${price:,.4f}"


def _standing(entry: Entry) -> str:
    if closed := entry.closed_on(today()):
        return f"closed since {closed}"
    until = f"open until {entry.closes_on}" if entry.closes_on else "open"
    return f"{until}, not to everybody" if entry.facts.only_from else until
