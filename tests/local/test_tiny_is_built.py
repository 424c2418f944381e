"""Who waits for the base model `local:tiny` to be built is told so, and who does not need its weights builds none."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import Cli
from ftbridge.cli.logs import logging_to
from ftbridge_local.models.tiny import base as tiny
from small_data import write_rows


def test_a_command_that_builds_it_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tiny, "_train", lambda _folder, weights: weights.touch())  # which would take half a minute
    with logging_to(None, verbose=False):
        tiny.complete_folder(tmp_path)
        tiny.complete_folder(tmp_path)
    assert " ".join(capsys.readouterr().err.split()) == f"note: {tiny.BUILDING}"


def test_checking_builds_no_weights_and_says_nothing(here: Cli, home: Path, tmp_path: Path) -> None:
    ran = here("check", write_rows(tmp_path / "rows.jsonl"), "--to", "local:tiny", "--no-advice")
    assert (ran.code, ran.err) == (0, "")
    assert not tiny.built(home)
