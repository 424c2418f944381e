"""Losses and margins that are no numbers, and files for rows that cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftbridge import Bridge
from ftbridge.answers import Answer
from ftbridge.dataset.canonical.example import Assistant, Chat, User
from ftbridge.errors import InputError, UsageError
from ftbridge.evaluation.evaluate import _measured
from ftbridge.evaluation.scores import score, score_rows
from ftbridge.evaluation.verdict import judge
from ftbridge.model import RowLoss
from ftbridge.testing import ROWS
from small_data import write_rows

CHATS = {line: Chat(messages=[User(content="2 + 2?"), Assistant(content="4")]) for line in range(1, 21)}


def scored(*losses: float) -> Any:
    """Twenty rows of a model, of which the first have these losses and the others 1.0."""
    known = [*losses, *[1.0] * (len(CHATS) - len(losses))]
    provider: Any = SimpleNamespace(
        capabilities=SimpleNamespace(verbs={"losses"}),
        losses=lambda _model, _chats: [RowLoss(loss=loss, tokens=2) for loss in known],
    )
    return score_rows(provider, "model", CHATS, [Answer(text="4")] * len(CHATS))


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_loss_that_is_no_number_is_not_known(bad: float) -> None:
    rows = scored(bad, 3.0)
    assert [row.loss for row in rows[:3]] == [None, 3.0, 1.0]
    assert score(rows).loss == pytest.approx((3.0 + 18 * 1.0) / 19)
    [only] = judge(_measured("base", scored(), rows, None, 0.05))  # losses of other rows are not compared
    assert (only.metric, only.verdict) == ("exact_match", "not enough rows")


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

    monkeypatch.setattr("ftbridge.evaluation.evaluate.ask_all", asked)
    for margin in (nan, inf, -0.1, 1.1):
        with pytest.raises(UsageError, match="is not a share from 0 to 1"):
            evaluate(margin=margin)
    for file, says in ((tmp_path, "is a folder"), (tmp_path / "none" / "r", "there is no folder"), (Path(), "folder")):
        with pytest.raises(InputError, match=says):
            evaluate(rows=file)
    with pytest.raises(InputError, match="is a file, and no folder"):
        evaluate(rows=tmp_path / "rows.jsonl" / "r")
