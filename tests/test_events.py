"""An event as a line of text, of whatever its vendor has told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ftbridge.model import Event

AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({"kind": "metric", "step": 3, "total_steps": 9, "train_loss": 1.5}, "step 3/9  loss 1.500"),
        ({"kind": "metric", "step": 0, "train_loss": 1.5}, "step 0  loss 1.500"),
        ({"kind": "metric", "train_loss": 1.5, "valid_loss": 2.0}, "loss 1.500  validation loss 2.000"),
        ({"kind": "metric"}, "metric"),
        ({"kind": "checkpoint", "step": 4}, "checkpoint of step 4"),
        ({"kind": "checkpoint"}, "checkpoint"),
        ({"kind": "message"}, "message"),
        ({"kind": "status", "status": "running"}, "running"),
    ],
    ids=str,
)
def test_what_is_not_known_is_left_out(known: dict[str, Any], line: str) -> None:
    assert str(Event(at=AT, **known)) == line
