"""Jobs in the ledger of a home that were never sent anywhere: for what only reads it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ftbridge.ledger import Intent, Ledger, Prepared
from ftbridge.model import Spec, Status, now


def add_job(home: Path, name: str, status: Status, *, minutes: int = 0) -> str:
    """Add a job of that name, created so many minutes from now; its id."""
    home.mkdir(exist_ok=True)
    ledger = Ledger(home)
    intent = Intent(
        id=f"ftb_{name}",
        target="local:tiny",
        spec=Spec(target="local:tiny", data="rows.jsonl", name=name),
        prepared=Prepared(training="t"),
        request_hash=name,
        created_at=now() + timedelta(minutes=minutes),
    )
    ledger.change(ledger.add(intent), status=status, remote_id=name)
    ledger.close()
    return intent.id
