"""The map of the project in CONTRIBUTING.md is that of its folders, and the paths in it exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8").partition("\n## The parts\n")[2]
TREE, _, TABLE = SECTION.partition("Where would I change")


def folders() -> set[str]:
    """The folders with Python files, as the tree names them: vendors' mocks are inside their vendor's line."""
    roots = [ROOT / "ftbridge", ROOT / "providers" / "ftbridge_providers", ROOT / "local_backend" / "ftbridge_local"]
    files = [file.relative_to(ROOT) for root in roots for file in root.rglob("*.py")]
    return {file.parent.name for file in files if file.parent.name != "mock" or len(file.parts) == 3}


def test_every_folder_is_in_the_tree_and_no_other() -> None:
    named = {name.rstrip("/").rpartition("/")[2] for name in re.findall(r"(?:^|  )([\w/]+/)(?=\s)", TREE, re.MULTILINE)}
    assert named - {"tests"} == folders()


def test_the_files_in_the_tree_and_in_the_table_exist() -> None:
    for file in re.findall(r"(?:^|  )(\w+\.py)", TREE, re.MULTILINE):
        assert list(ROOT.rglob(f"{file}")), file
    paths = re.findall(r"`([\w./]+/[\w./]*)`", TABLE)
    assert len(paths) > 8
    for path in paths:
        assert (ROOT / path).exists(), path
