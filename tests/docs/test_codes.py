"""Every code has an explanation whose example really gives it, and whose mended example does not."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs.codes_in_sources import codes_in, codes_in_sources, error_names
from docs.made_examples import MADE, NEEDS_A_MODEL, NOT_REACHED
from ftbridge import Bridge
from ftbridge.dataset import prepare
from ftbridge.docs import Explanation, explanations

ROOT = Path(__file__).parents[2]
EXPLAINED = explanations()
SHOWN = [code for code, one in EXPLAINED.items() if one.kind != "errors" and one.example is not None]


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Iterator[Bridge]:
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(tiny_home / "local" / "bases", home / "local" / "bases")
    with Bridge(home) as made:
        yield made


def codes_of(bridge: Bridge, one: Explanation, rows: str, folder: Path) -> set[str]:
    """The codes of a file with these rows, as the command of the explanation gives them."""
    file = folder / one.file
    file.write_text(rows.strip() and rows.strip() + "\n", "utf-8")
    options: dict[str, Any] = {"method": one.method or "sft", "format": one.format}
    options["map"] = dict([one.map.split("=")]) if one.map else None
    if one.prepare:
        return {finding.code for finding in prepare(file, folder / "data", dedupe="exact", validation=0.0).findings}
    if one.trainer:
        out = Path(tempfile.mkdtemp(dir=folder)) / "exported"
        made = bridge.export_config(file, one.trainer, out, model="Qwen/Qwen3-8B").training
        return {*made.changed, *(finding.code for finding in made.impossible)}
    if one.kind == "changes":
        return set(bridge.convert(file, one.to or "", folder / "converted.jsonl", **options).changed)
    if one.validation:
        options["validation"] = folder / "held.jsonl"
        options["validation"].write_text(one.validation + "\n", "utf-8")
    return {finding.code for finding in bridge.check(file, [one.to] if one.to else [], **options).findings}


def test_every_code_in_the_sources_is_explained_and_no_other() -> None:
    assert set(EXPLAINED) == codes_in_sources() | error_names()


def test_a_new_code_would_be_missed() -> None:
    source = "diagnostics.error(path, 'too_green', 'a', 'b')\ncodes.add('painted')\nUnread('torn', 'a', 'b')"
    assert codes_in(source) == {"too_green", "painted", "torn"}


@pytest.mark.parametrize("code", SHOWN)
def test_the_example_gives_the_code_and_the_mended_one_does_not(code: str, bridge: Bridge, tmp_path: Path) -> None:
    one = EXPLAINED[code]
    assert code in codes_of(bridge, one, one.example or "", tmp_path)
    if one.fixed is not None:
        assert code not in codes_of(bridge, one, one.fixed, tmp_path)


@pytest.mark.parametrize("code", MADE)
def test_what_is_too_large_to_print_gives_the_code(code: str, bridge: Bridge, tmp_path: Path) -> None:
    to, options = MADE[code](tmp_path)
    assert code in {finding.code for finding in bridge.check(to=to, **options).findings}


def test_every_code_without_an_example_is_tried_elsewhere() -> None:
    without = {code for code, one in EXPLAINED.items() if one.example is None and one.kind != "errors"}
    assert without == {*MADE, *NEEDS_A_MODEL, *NOT_REACHED, "near_duplicate"}
    local = "".join(file.read_text("utf-8") for file in (ROOT / "tests" / "local").glob("*.py"))
    assert [code for code, sign in NEEDS_A_MODEL.items() if sign not in local] == []
