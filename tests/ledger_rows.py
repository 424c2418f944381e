"""Jobs to put into a ledger."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ftbridge.ledger import Intent, Ledger, Prepared, Record
from ftbridge.model import Event, Spec, now


def add(ledger: Ledger, job_id: str = "ftb_aaaa", key: str | None = None, at: datetime | None = None) -> Record:
    """Write one intent down."""
    return ledger.add(
        Intent(
            id=job_id,
            target="local:tiny",
            spec=Spec(target="local:tiny", data=Path("rows.jsonl"), name="mine"),
            prepared=Prepared(training="k1"),
            request_hash="h1",
            key=key,
            created_at=at or now(),
        )
    )


def message(text: str) -> Event:
    """An event that says something."""
    return Event(at=now(), kind="message", message=text)
