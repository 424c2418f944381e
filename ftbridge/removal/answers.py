"""Deleting what models have answered: of one job's model, or all that is old enough."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from ftbridge.context import Context
from ftbridge.ledger import count_answers, forget_answers
from ftbridge.removal.receipt import Removal, Remover


def remove_answers(
    context: Context,
    remover: Remover,
    *,
    job: str | None = None,
    model: str | None = None,
    until: datetime | None = None,
) -> None:
    """Remove them from the ledger, an item for each model; `job` is the one that made `model`."""
    for name, count in count_answers(context.ledger, model=model, until=until).items():
        item = Removal(job=job, kind="answers", name=f"{count} of {name}")
        remover.remove(item, partial(forget_answers, context.ledger, model=name, until=until))
