"""The provider in the topic is a real one: installed as its words say, it passes the suite and does the main job."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import copytree

import pytest

from docs.sessions import blocks_of
from ftbridge.testing import ROWS
from small_data import write_rows
from third_party import write_distribution

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "ftbridge" / "docs" / "provider.md"
MAIN_JOB = """
from ftbridge import Bridge
with Bridge() as bridge:
    job = bridge.wait(bridge.submit("rows.jsonl", to="parrot:grey", epochs=2))
    result = bridge.fetch(job, "out")
    print(job.status, bridge.chat(job, "Say three."), *sorted(file.name for file in result.path.iterdir()))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's code blocks, and what pip would have written beside them."""
    provider, entry_points, test = (block.text for block in blocks_of(PAGE.read_text("utf-8")))
    site = tmp_path_factory.mktemp("site")
    [(group, rows)] = tomllib.loads(entry_points)["project"]["entry-points"].items()
    named = "".join(f"{name} = {place}\n" for name, place in rows.items())
    write_distribution(site, "parrot", f"[{group}]\n{named}", parrot=provider, test_parrot=test)
    return site


def run(site: Path, *words: str, home: Path) -> str:
    path = os.pathsep.join(map(str, (site, ROOT, ROOT / "providers", ROOT / "local_backend")))
    environment = {**os.environ, "PYTHONPATH": path, "FTBRIDGE_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words], cwd=site, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_passes_the_suite(installed: Path, home: Path) -> None:
    output = run(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", home=home)
    [passed] = re.findall(r"(\d+) passed", output)
    assert int(passed) >= 25
    assert "failed" not in output


def test_what_it_leaves_out_is_skipped_by_the_suite_and_by_run(installed: Path, home: Path, tmp_path: Path) -> None:
    site = copytree(installed, tmp_path / "site")
    whole = (site / "parrot.py").read_text("utf-8")
    left, count = re.subn(r"    def (events|fetch)\(.*?\n\n", "", whole, flags=re.DOTALL)
    assert count == 2
    (site / "parrot.py").write_text(left, "utf-8")
    of_events = ["-k", "cursor_of_its_own or metrics_have", "-rs", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    output = run(site, "-m", "pytest", *of_events, home=home)
    assert "parrot tells no events" in output
    assert "2 skipped" in output
    write_rows(site / "rows.jsonl", ROWS)
    assert "succeeded; its model is grey-ftb_" in run(
        site, "-m", "ftbridge", "run", "rows.jsonl", "--to", "parrot:grey", home=home
    )
    assert "No catalogue has models of parrot." in run(site, "-m", "ftbridge", "catalogue", "parrot", home=home)


def test_it_does_the_main_job(installed: Path, home: Path) -> None:
    write_rows(installed / "rows.jsonl", ROWS)
    assert run(installed, "-c", MAIN_JOB, home=home).split() == ["succeeded", "three", "ftbridge.json", "learnt.jsonl"]
