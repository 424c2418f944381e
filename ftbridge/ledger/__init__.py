"""The durable store of jobs, uploads and intents."""

from ftbridge.ledger.database import set_aside_if_damaged
from ftbridge.ledger.deliveries import Delivery, delivered, due, postponed
from ftbridge.ledger.glances import Glance, glances, last_numbers, unfinished
from ftbridge.ledger.moves import moved_from, moved_to, write_move
from ftbridge.ledger.places import has_place, take_place, waiting
from ftbridge.ledger.record import Intent, Prepared, Record
from ftbridge.ledger.store import Ledger

__all__ = [
    "Delivery",
    "Glance",
    "Intent",
    "Ledger",
    "Prepared",
    "Record",
    "delivered",
    "due",
    "glances",
    "has_place",
    "last_numbers",
    "moved_from",
    "moved_to",
    "postponed",
    "set_aside_if_damaged",
    "take_place",
    "unfinished",
    "waiting",
    "write_move",
]
