"""Whatever a file holds, each command ends with a sentence, soon, and in little memory.

With FTBRIDGE_EVERY_CASE=1 (`make test-all`) all cases are tried, otherwise every tenth.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

import hostile_data
from every_case import EVERY_CASE

SECONDS = 10  # of CPU: a machine that is busy takes longer
MEGABYTES = 300
MORE = {
    "csv_tables: two million bad rows": (60, 400),  # each row takes its 18 µs, and `prepare` remembers each
    "rows: a text of 31 MB with an emoji": (10, 550),  # with one, Python takes four bytes for every character
    "rows: a chat of 31 MB with an emoji": (10, 400),  # likewise
    "parquet_tables: one text of 31 MB": (10, 400),  # pyarrow has it whole, and so has the row
    "parquet_tables: one row group of 40 MB": (10, 400),  # likewise
    "archives: zstd of texts of 20 MB, 500 MB": (10, 400),  # up to 256 MB are read before the ratio is judged
    "archives: zstd with a window of 128 MB": (15, 400),  # which the decompressor keeps
}
"""The cases that need more seconds or megabytes, and why."""
CHOSEN = [case for case in list(hostile_data.CASES)[:: 1 if EVERY_CASE else 10] if EVERY_CASE or case not in MORE]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What each command made of each case, measured in a process of its own."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("zstandard")
    folder = tmp_path_factory.mktemp("hostile")
    environment = {**os.environ, "FTBRIDGE_HOME": str(folder / "home"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "hostile_data.child", str(folder / "cases"), *CHOSEN]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    results: dict[str, list[dict[str, Any]]] = {}
    for line in child.stdout.splitlines():
        result = json.loads(line)
        results.setdefault(result["case"], []).append(result)
    return results


def test_there_are_many_cases() -> None:
    assert len(hostile_data.CASES) >= 90


@pytest.mark.timeout(3600 if EVERY_CASE else 600)  # the first one waits for all
@pytest.mark.parametrize("case", CHOSEN)
def test_a_hostile_file_gives_a_sentence_soon_and_in_little_memory(
    measured: dict[str, list[dict[str, Any]]], case: str
) -> None:
    results, (seconds, megabytes) = measured[case], MORE.get(case, (SECONDS, MEGABYTES))
    assert [result["command"] for result in results] == ["check", "prepare", "convert"]
    for result in results:
        assert result["code"] in (0, 1, 2), result
        assert result["text"].strip(), result
        assert not any(word in result["text"] for word in ("Traceback", "This is a bug", "not foreseen")), result
        assert result["seconds"] < seconds, result
        assert result["mb"] < megabytes, result
