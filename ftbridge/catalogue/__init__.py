"""Dated facts about vendors' models: what they cost, what they take, and how long they will be there."""

from ftbridge.catalogue.book import SOON, STALE, Catalogue, Entry
from ftbridge.catalogue.clock import today
from ftbridge.catalogue.facts import Facts, Row
from ftbridge.catalogue.quote import HOURS_A_MONTH, Load, Quote, Work, billed_usd, counted, dollars, epochs_of, quote
from ftbridge.catalogue.read import fetched, read_room, read_rows, rows_from

__all__ = [
    "HOURS_A_MONTH",
    "SOON",
    "STALE",
    "Catalogue",
    "Entry",
    "Facts",
    "Load",
    "Quote",
    "Row",
    "Work",
    "billed_usd",
    "counted",
    "dollars",
    "epochs_of",
    "fetched",
    "quote",
    "read_room",
    "read_rows",
    "rows_from",
    "today",
]
