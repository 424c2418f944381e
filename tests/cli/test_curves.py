"""A job's losses in the terminal and as a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ftbridge.cli.curves import draw, lines
from ftbridge.errors import InputError, UsageError
from ftbridge.jobs.curves import read_curves
from ftbridge.model import Event

AT = datetime(2026, 1, 2, tzinfo=UTC)
EVENTS = [
    Event(at=AT, kind="metric", step=0, valid_loss=4.0),
    *(Event(at=AT, kind="metric", step=step, train_loss=4.0 - step / 50) for step in range(1, 101)),
    Event(at=AT, kind="metric", step=100, train_loss=2.0, valid_loss=3.0),
    Event(at=AT, kind="message", message="done"),
]


def test_curves_are_drawn_as_lines_to_one_scale() -> None:
    output = lines(read_curves(EVENTS))
    assert output["validation loss"] == "4.000 █▅ 3.000"
    first, blocks, last = output["loss"].split()
    assert (first, last) == ("3.980", "2.000")
    assert blocks[0] == "█"
    assert blocks[-1] == "▁"
    assert 30 < len(blocks) <= 48


def test_a_single_value_is_no_curve() -> None:
    assert lines(read_curves(EVENTS[:1])) == {}


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_curves_are_drawn_into_a_picture(tmp_path: Path, ending: str) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / f"curves.{ending}"
    draw(read_curves(EVENTS), "support", file)
    assert file.stat().st_size > 1000


def test_a_picture_of_another_kind_or_nowhere_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"neither \.svg nor \.png"):
        draw({}, "", tmp_path / "curves.gif")
    pytest.importorskip("matplotlib")
    with pytest.raises(InputError, match="there is no folder"):
        draw({}, "", tmp_path / "nowhere" / "curves.svg")
    (tmp_path / "curves.svg").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        draw({}, "", tmp_path / "curves.svg")
