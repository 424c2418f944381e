"""A server for people and their vendors, and a person at OpenAI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.people import Person, Stubs, running_stubs


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubs]:
    with running_stubs(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def person(stubs: Stubs) -> Person:
    return stubs.person("openai")
