"""A file is read from top to bottom in one go: none is longer than 300 lines."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 300


def test_no_file_is_longer_than_it_can_be_read() -> None:
    folders = [ROOT / name for name in ("ftbridge", "providers", "local_backend", "tests")]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert len(files) > 400
    too_long = {str(file.relative_to(ROOT)) for file in files if len(file.read_text("utf-8").splitlines()) > LONGEST}
    assert too_long == set()
