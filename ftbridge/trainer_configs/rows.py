"""What all converters of rows have in common here."""

from __future__ import annotations

from typing import Any

from ftbridge.dataset.canonical.example import Chat, Example, Preference
from ftbridge.dataset.converter import FileLimits
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Method
from ftbridge.trainer_configs.survey import Survey, shapes_of


class Rows:
    """A converter for the one shape of rows that a config is for; a trainer writes chats and preferences its own way.

    Texts stay as they are.
    """

    target: str
    limits = FileLimits()

    def __init__(self, method: Method, rows: Survey) -> None:
        self.shapes = shapes_of(method, rows)
        self.rows = rows

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        """One row, or several as lines."""
        if isinstance(example, Chat):
            return self.chat(example, diagnostics)
        return self.preference(example, diagnostics) if isinstance(example, Preference) else example

    def chat(self, chat: Chat, diagnostics: Diagnostics) -> Any:
        """The row of a chat, or its rows."""
        raise NotImplementedError

    def preference(self, example: Preference, diagnostics: Diagnostics) -> Any:
        """The row of a preference."""
        raise NotImplementedError
