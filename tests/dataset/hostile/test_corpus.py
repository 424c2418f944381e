"""Whatever a file holds, each command ends with a sentence, soon, and in little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

import hostile_data

SECONDS = 10  # of CPU: a machine that is busy takes longer
MEGABYTES = 300


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What each command made of each case, measured in a process of its own."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("zstandard")
    folder = tmp_path_factory.mktemp("hostile")
    environment = {**os.environ, "FTBRIDGE_HOME": str(folder / "home"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "hostile_data.child", str(folder / "cases"), *hostile_data.CASES]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    results: dict[str, list[dict[str, Any]]] = {}
    for line in child.stdout.splitlines():
        result = json.loads(line)
        results.setdefault(result["case"], []).append(result)
    return results


def test_there_are_many_cases() -> None:
    assert len(hostile_data.CASES) >= 90


@pytest.mark.timeout(900)  # the first one waits for all
@pytest.mark.parametrize("case", hostile_data.CASES)
def test_a_hostile_file_gives_a_sentence_soon_and_in_little_memory(
    measured: dict[str, list[dict[str, Any]]], case: str
) -> None:
    results = measured[case]
    assert [result["command"] for result in results] == ["check", "prepare", "convert"]
    for result in results:
        assert result["code"] in (0, 1, 2), result
        assert result["text"].strip(), result
        assert not any(word in result["text"] for word in ("Traceback", "This is a bug", "not foreseen")), result
        assert result["seconds"] < SECONDS, result
        assert result["mb"] < MEGABYTES, result
