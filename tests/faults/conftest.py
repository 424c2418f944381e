"""A server for people and their vendors, and a person at OpenAI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.people import Person, Town, town


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with town(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def person(place: Town) -> Person:
    return place.person("openai")
