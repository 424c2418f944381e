"""A scripted teacher, and prompts for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ftbridge.mock.model_answers import completion_answer
from ftbridge.mock.vendors import MockVendors
from scripted_teacher import Teacher
from small_data import write_rows


@pytest.fixture
def teacher(vendors: MockVendors, monkeypatch: pytest.MonkeyPatch) -> Teacher:
    made = Teacher(vendors)

    def answer(request: Mapping[str, Any], whole: dict[str, Any]) -> Any:
        made.complete(request, whole)
        return completion_answer(request, whole)

    monkeypatch.setattr("ftbridge_providers.openai_api.mock.vendor.completion_answer", answer)
    return made


@pytest.fixture
def prompts(tmp_path: Path) -> Callable[..., Path]:
    """A file of prompts, each a text or a whole row."""

    def write(*rows: str | Mapping[str, Any]) -> Path:
        return write_rows(
            tmp_path / "prompts.jsonl", [{"prompt": row} if isinstance(row, str) else row for row in rows]
        )

    return write
