"""Each room has a README: its generated parts agree with the code, its links and paths exist, its length is bounded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from room_tables import ROOT, current, opened, readmes, rooms

ROOMS = [ROOT / name / "README.md" for name in ("ftbridge", "providers", "local_backend", "tests")]
FILES = sorted({*ROOMS, *readmes()})
PARTS = {"able", "settings", "closing", "hyperparameters", "models", "sources"}


def names(files: list[Path]) -> list[str]:
    return [str(file.parent.relative_to(ROOT)) for file in files]


@pytest.mark.parametrize("file", readmes(), ids=names(readmes()))
def test_generated_parts_are_current(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("openai", "together", "mistral", "nebius"):
        monkeypatch.delenv(f"{name.upper()}_BASE_URL", raising=False)
    assert file.read_text("utf-8") == current(file), "Run: python tests/room_tables.py"


def test_a_changed_figure_or_a_missing_row_is_noticed(tmp_path: Path) -> None:
    for name, before, after in (("openai", "2027-01-06", "2027-01-07"), ("together", "`epochs`", "`epoch`")):
        text = (ROOT / "providers/ftbridge_providers" / name / "README.md").read_text("utf-8")
        assert before in text
        planted = tmp_path / name / "README.md"
        planted.parent.mkdir()
        planted.write_text(text.replace(before, after), "utf-8")
        assert current(planted) != planted.read_text("utf-8")


@pytest.mark.parametrize("name", rooms())
def test_a_vendors_readme_has_every_part(name: str) -> None:
    text = (ROOT / "providers/ftbridge_providers" / name / "README.md").read_text("utf-8")
    assert set(re.findall(r"<!-- generated: (\w+) -->", text)) == PARTS
    for row in opened(name).catalogue():
        assert row.source in text
        assert str(row.as_of) in text
    for variable in opened(name).settings_class.secrets.values():
        assert variable in text


@pytest.mark.parametrize("file", FILES, ids=names(FILES))
def test_links_and_paths_exist(file: Path) -> None:
    text = file.read_text("utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (file.parent / link).exists(), link
    for path in re.findall(r"`([\w./]+/[\w./]*\.(?:py|toml|md)|[\w.]+(?:/[\w.]+)+/)`", text):
        assert (ROOT / path).exists() or (file.parent / path).exists(), path


@pytest.mark.parametrize("file", FILES, ids=names(FILES))
def test_a_readme_is_short(file: Path) -> None:
    written = re.sub(r"<!-- generated.*?<!-- end -->", "", file.read_text("utf-8"), flags=re.DOTALL)
    assert 50 < len(written.split()) <= 1300
    assert len(written.splitlines()) <= 150


def test_the_map_of_a_job_names_rooms_that_exist() -> None:
    text = (ROOT / "ftbridge" / "README.md").read_text("utf-8")
    folders = set(re.findall(r"^[ |]*(\w+)/ ", text, re.MULTILINE))
    assert {"dataset", "jobs", "watching", "ledger", "provider"} <= folders
    for folder in folders:
        assert (ROOT / "ftbridge" / folder).is_dir(), folder


def test_every_bench_is_named_with_how_it_is_run() -> None:
    text = (ROOT / "tests" / "README.md").read_text("utf-8")
    for bench in (ROOT / "tests" / "bench").glob("bench_*.py"):
        assert f"`{bench.name}`" in text
    for target in ("test", "test-all", "test-matrix", "fuzz", "bench", "bench-local", "lint"):
        assert f"make {target}" in text
    for folder in (path for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"):
        assert f"`{folder.name}/`" in text, folder.name
