"""Dated facts about vendors' models: prices, limits, and closing dates."""

from ftbridge.catalogue.clock import today
from ftbridge.catalogue.facts import Facts, Row
from ftbridge.catalogue.merged import SOON, STALE, Catalogue, Entry
from ftbridge.catalogue.read import own_rows, read_room, read_rows, rows_from

__all__ = [
    "SOON",
    "STALE",
    "Catalogue",
    "Entry",
    "Facts",
    "Row",
    "own_rows",
    "read_room",
    "read_rows",
    "rows_from",
    "today",
]
