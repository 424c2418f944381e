"""OpenAI's model objects, read as rows of the catalogue and as tuned models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from ftbridge.catalogue import Row
from ftbridge.provider import TunedModel


def shutdown_row(name: str, model: Any, today: date) -> tuple[Row, ...]:
    """The `shutdown_date` of a `Model` as a row of the catalogue, if it has one (OpenAPI document, 2026-08)."""
    shutdown = _day(getattr(model, "shutdown_date", None))
    if shutdown is None:
        return ()
    row = Row(
        provider="openai",
        models=(name,),
        inference_closes_on=shutdown,
        source=f"GET /v1/models/{name}",
        as_of=today,
        confidence="official",
    )
    return (row,)


def read_tuned(models: Sequence[Any]) -> list[TunedModel]:
    """The tuned models of the account, which are named `ft:BASE:…`; each ends with its base at the latest."""
    days = {model.id: _day(getattr(model, "shutdown_date", None)) for model in models}
    tuned = []
    for name, day in days.items():
        if name.startswith("ft:"):
            base = name.split(":")[1]
            tuned.append(TunedModel(model=name, base=base, closes_on=day or days.get(base)))
    return tuned


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
