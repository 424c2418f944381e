"""`models`: what the catalogues know of each model that is named in them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ftbridge.catalogue import Entry, dollars, today
from ftbridge.cli.output import AsJson, console, open_bridge, print_json, table
from ftbridge.errors import TargetError
from ftbridge.registry import provider_names


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(models)


def models(
    provider: Annotated[str | None, typer.Argument(help="Only this provider's.")] = None,
    as_json: AsJson = False,
) -> None:
    """The models that can be trained: what is open, what closes when, and what training costs."""
    if provider and provider not in provider_names():
        raise TargetError(f"no provider is called {provider!r}", hint=f"Installed: {', '.join(provider_names())}.")
    entries = [entry for entry in open_bridge().catalogue.entries() if provider in (None, entry.provider)]
    entries.sort(key=lambda entry: (entry.provider, entry.closed_on(today()) is not None))
    if as_json:
        print_json({"models": [_document(entry) for entry in entries]})
        return
    rows = [
        [
            f"{entry.provider}:{entry.model}",
            ", ".join(entry.facts.methods or ()) or "?",
            _price(entry),
            _standing(entry),
        ]
        for entry in entries
    ]
    console().print(table(["target", "methods", "$ a million tokens", "standing"], rows, right=(2,), fold=0))


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
    return dollars(price) if price is not None else "?"


def _standing(entry: Entry) -> str:
    if closed := entry.closed_on(today()):
        return f"closed since {closed}"
    return f"open until {entry.closes_on}" if entry.closes_on else "open"
