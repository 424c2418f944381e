"""The durable store of jobs, uploads and intents."""

from ftbridge.ledger.lock import job_lock
from ftbridge.ledger.record import Intent, Prepared, Record
from ftbridge.ledger.store import Ledger

__all__ = ["Intent", "Ledger", "Prepared", "Record", "job_lock"]
