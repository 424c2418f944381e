"""Ids for the calls of formats that have none, and which call each result answers."""

from __future__ import annotations

from copy import deepcopy


class CallIds:
    """The calls of one row in their order: those without an id get `call_1`, `call_2`, …"""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._waiting: dict[str, str] = {}

    @property
    def waiting(self) -> int:
        """How many calls have no result yet."""
        return len(self._waiting)

    def call(self, name: str, identifier: str | None = None) -> str:
        """The id of a call of `name` that waits for its result: its own, or a new one."""
        number = 1
        while identifier is None:
            if f"call_{number}" not in self._known:
                identifier = f"call_{number}"
            number += 1
        self._known.add(identifier)
        self._waiting[identifier] = name
        return identifier

    def answer(self, name: str | None = None, identifier: str | None = None) -> str:
        """The id of the call that a result answers: its own, else the oldest of `name` that waits; "" for none."""
        if identifier is None:
            fitting = (known for known, called in self._waiting.items() if name in (None, called))
            identifier = next(fitting, "")
        self._waiting.pop(identifier, None)
        return identifier

    def copy(self) -> CallIds:
        """The same calls, to go on in two ways."""
        return deepcopy(self)
