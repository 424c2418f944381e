"""`catalogue`: the facts about each model in the catalogues, and their sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ftbridge.catalogue import STALE, Entry, Row, today
from ftbridge.cli.output import (
    AsJson,
    console,
    fits,
    open_bridge,
    print_json,
    print_line,
    print_note,
    print_sentence,
    table,
)
from ftbridge.errors import TargetError
from ftbridge.plugins import provider_names
from ftbridge.wording import did_you_mean, printable

_SHOWN = ("methods", "sft_usd_per_million_tokens", "training_closes_on", "inference_closes_on", "only_from", "opens_on")
"""The facts shown in text; --json has all."""


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(catalogue)


def catalogue(
    provider: Annotated[str | None, typer.Argument(help="Only the models of this provider.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the models that can be trained: what is open, what closes when, the training price, and the sources."""
    if provider and provider not in provider_names():
        raise TargetError(
            f"no provider is called {printable(repr(provider))}",
            hint=f"{did_you_mean(provider, provider_names())}Installed: {', '.join(provider_names())}.",
        )
    entries = [entry for entry in open_bridge().catalogue.entries() if provider in (None, entry.provider)]
    entries.sort(key=lambda entry: (entry.provider, entry.closed_on(today()) is not None))
    if as_json:
        print_json({"models": [_document(entry) for entry in entries]})
    elif not entries:
        print_sentence(f"No catalogue has models of {provider}. ftbridge.toml can add them: `ftbridge help costs`.")
    else:
        _print_entries(entries)


def _print_entries(entries: Sequence[Entry]) -> None:
    """A table if it fits on the terminal, else a paragraph per model; below it the numbered sources."""
    sources = list(dict.fromkeys(_source(row) for entry in entries for row in _rows(entry)))
    rows = []
    for entry in entries:
        numbers = dict.fromkeys(str(sources.index(_source(row)) + 1) for row in _rows(entry))
        methods = ", ".join(entry.facts.methods or ()) or "?"
        rows.append(
            [f"{entry.provider}:{entry.model}", methods, _price(entry), _availability(entry), " ".join(numbers)]
        )
    headers = ["target", "methods", "$ per million tokens", "availability", "source"]
    if fits(headers, rows):
        console().print(table(headers, rows, right=(2,)))
    else:
        for target, methods, price, availability, source_numbers in rows:
            print_line(target)
            cost = f"{price} per million tokens" if price.startswith("$") else f"price: {price}"
            print_note(f"{methods}; {cost}; {availability}" + (f"; source {source_numbers}" if source_numbers else ""))
    for index, source in enumerate(sources, 1):
        print_note(f"{index}: {source}")


def _rows(entry: Entry) -> list[Row]:
    """The rows of the facts shown in text, except those that a package has about the user's own machine."""
    return [row for name in _SHOWN if (row := entry.rows.get(name)) and not row.own_machine]


def _source(row: Row) -> str:
    age = today() - row.as_of
    parts = [f"{row.source}, {row.as_of}" + (f", {age.days} days old" if age > STALE else "") + f", {row.confidence}"]
    parts += [f"takes jobs only from {row.only_from}"] if row.only_from else []
    parts += [row.doubt] if row.doubt else []
    return "; ".join(parts)


def _document(entry: Entry) -> dict[str, Any]:
    """A model as `--json` prints it: the known facts, and the source of each."""
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
        return "own machine"
    price = entry.facts.sft_usd_per_million_tokens
    if price is None:
        return "?"
    return f"${price:,.2f}" if round(price, 2) == price else f"${price:,.4f}"


def _availability(entry: Entry) -> str:
    if closed := entry.closed_on(today()):
        return f"closed since {closed}"
    until = f"open until {entry.closes_on}" if entry.closes_on else "open"
    return f"{until}, not to all accounts" if entry.facts.only_from else until
