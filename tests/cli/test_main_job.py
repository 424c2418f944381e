"""The main job on the command line: from a file to a model that answers, and what may happen on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge.sample import sample_files


@pytest.fixture(scope="session")
def built_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose tiny base is built already."""
    home = tmp_path_factory.mktemp("built")
    from ftbridge_local.tiny import build_tiny

    build_tiny(home)
    return home


def test_run_takes_a_file_of_ones_own_all_the_way(cli: Cli, rows: Path, tmp_path: Path) -> None:
    ran = cli("run", rows, "--to", "local:tiny", "--epochs", "2", "--out", tmp_path / "out", "--name", "mine")
    assert ran.code == 0, ran.err
    assert "succeeded" in ran.out
    assert (tmp_path / "out" / "adapter_model.safetensors").exists()

    [job] = cli("jobs", "--json").json["jobs"]
    assert (job["name"], job["target"], job["status"]) == ("mine", "local:tiny", "succeeded")
    shown = cli("show", job["id"], "--json").json
    assert shown["spec"]["hyperparameters"]["epochs"] == 2
    assert shown["latest"]["train_loss"] > 0
    assert shown["finished_at"]
    assert "succeeded" in cli("show", "last").out

    events = [json.loads(line) for line in cli("events", job["id"], "--json").out.splitlines()]
    kinds = [event["kind"] for event in events]
    assert {"status", "metric"} <= set(kinds)
    statuses = [event["status"] for event in events if event["kind"] == "status"]
    assert statuses[-2:] == ["running", "succeeded"]

    reply = cli("chat", job["id"], "Say one.", "--max-tokens", "8", "--json").json
    assert set(reply) == {"reply", "model", "usage"}
    assert reply["usage"]["completion_tokens"] <= 8

    scores = cli("evaluate", job["id"], rows, "--baseline", "--json").json
    assert scores["rows"] == 12
    assert scores["tuned"]["loss"] < scores["baseline"]["loss"]
    assert 0 <= scores["tuned"]["exact_match"] <= 1
