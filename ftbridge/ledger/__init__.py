"""The durable store of jobs, uploads and intents."""

from ftbridge.ledger.database import set_aside_if_damaged
from ftbridge.ledger.record import Intent, Prepared, Record
from ftbridge.ledger.store import Ledger

__all__ = ["Intent", "Ledger", "Prepared", "Record", "set_aside_if_damaged"]
