"""Losses and margins that are no numbers, and files for rows that cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from ftbridge import Bridge
from ftbridge.errors import InputError, UsageError
from ftbridge.evaluation.answering import Answered
from ftbridge.evaluation.grading import scored
from ftbridge.evaluation.measures import Measure
from ftbridge.evaluation.measuring import measured, scores_of
from ftbridge.evaluation.verdict import judge
from ftbridge.graders import GradingContext
from ftbridge.model import RowLoss
from ftbridge.testing import ROWS
from small_data import write_rows

ROW_COUNT = 20


def of(name: str, *losses: float) -> Answered:
    """Twenty rows of a model, of which the first have these losses and the others 1.0."""
    known = [*losses, *[1.0] * (ROW_COUNT - len(losses))]
    return Answered(name, [], [], [RowLoss(loss=loss, tokens=2) for loss in known])


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_loss_that_is_no_number_is_not_known(bad: float) -> None:
    found = scored(Measure("loss"), [], [of("tuned", bad, 3.0), of("base")], GradingContext())
    assert found.values["tuned"][:3] == [None, 3.0, 1.0]
    scores = scores_of(found, None)
    assert scores["tuned"].score == pytest.approx((3.0 + 18 * 1.0) / 19)
    assert (scores["tuned"].rows, scores["base"].rows) == (19, 19)
    [only] = judge(measured(found, "tuned", None, 0.05))
    assert only.difference == pytest.approx(2 / 19)


@pytest.fixture
def evaluate(open_bridge: Callable[..., Bridge], tmp_path: Path) -> Callable[..., Any]:
    bridge, data = open_bridge(), write_rows(tmp_path / "rows.jsonl", ROWS)
    job = bridge.wait(bridge.submit(data, to="openai:gpt-4.1-mini-2025-04-14"), timeout=60)
    return lambda **given: bridge.evaluate(job, data, **given)


def test_what_is_written_wrongly_is_refused_before_a_model_is_asked(
    evaluate: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_given: Any, **_named: Any) -> None:
        raise AssertionError("the model was asked, which costs money")

    monkeypatch.setattr("ftbridge.evaluation.evaluate.answered", asked)
    for margin in (nan, inf, -0.1, 1.1):
        with pytest.raises(UsageError, match="is not a share from 0 to 1"):
            evaluate(margin=margin)
    for file, says in ((tmp_path, "is a folder"), (tmp_path / "none" / "r", "there is no folder"), (Path(), "folder")):
        with pytest.raises(InputError, match=says):
            evaluate(rows=file)
    with pytest.raises(InputError, match="is a file, and no folder"):
        evaluate(rows=tmp_path / "rows.jsonl" / "r")
