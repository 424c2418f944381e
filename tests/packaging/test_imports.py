"""What importing ftbridge costs: no SDK, no HTTP client, no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "torch", "transformers", "peft", "tokenizers", "numpy", "openai", "together", "mistralai", "httpx", "httpx2",
    "requests", "aiohttp", "pyarrow", "tiktoken",
}  # fmt: skip


def loaded(code: str) -> set[str]:
    tell = "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code + tell], check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import ftbridge",
        "from ftbridge import Bridge; Bridge()",
        "import sys; from ftbridge.cli.app import run; run(['--help'])",
        "import sys; from ftbridge.cli.app import run; run([])",
        "import sys; from ftbridge.cli.app import run; run(['jobs'])",
        "import sys; from ftbridge.cli.app import run; run(['providers'])",
    ],
)
def test_the_core_loads_nothing_heavy(code: str) -> None:
    names = loaded(code)
    assert "ftbridge" in names
    assert names & HEAVY == set()


@pytest.mark.parametrize("words", [["--help"], []], ids=["--help", "without a word"])
def test_what_helps_loads_no_ledger(words: list[str]) -> None:
    assert "sqlalchemy" not in loaded(f"from ftbridge.cli.app import run; run({words})")


def test_what_only_reads_a_dataset_loads_no_database(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n')
    command = ["check", str(tmp_path / "rows.jsonl")]
    assert "sqlalchemy" not in loaded(f"from ftbridge.cli.app import run; run({command})")


def test_the_public_names_are_all_there() -> None:
    import ftbridge

    assert len(ftbridge.__all__) >= 11
    for name in ftbridge.__all__:
        assert getattr(ftbridge, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ftbridge.nothing
