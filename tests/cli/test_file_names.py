"""A file name is bytes: one that is not UTF-8 is a name as any other, in JSON too."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.model import Spec
from small_data import write_rows

NAME = "caf\udce9.jsonl"  # caf, and the byte 0xE9, as Python has it
pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="macOS takes only names that are UTF-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / NAME)


def document(text: str) -> str:
    """The text, which is UTF-8 throughout."""
    text.encode()
    return text


def test_check_convert_and_prepare_take_it(here: Cli, data: Path) -> None:
    assert json.loads(document(here("check", data, "--json").out))["examples"] == 12
    out = data.with_name("out\udce9.jsonl")
    made = json.loads(document(here("convert", data, "--to", "local:tiny", "--out", out, "--json").out))
    assert made["out"] == f"file://{data.parent}/out%E9.jsonl"
    assert len(out.read_bytes().splitlines()) == 12
    ran = here("prepare", data, "--out", data.with_name("p\udce9"), "--json")
    assert json.loads(document(ran.out))["train"]["path"] == f"file://{data.parent}/p%E9/train.jsonl"
    report = json.loads((data.parent / "p\udce9" / "report.json").read_bytes())
    assert report["train"]["path"] == f"file://{data.parent}/p%E9/train.jsonl"


def test_a_job_keeps_it(here: Cli, vendors: object, data: Path) -> None:
    ran = here("submit", data, "--to", "openai:gpt-4.1-mini-2025-04-14", "--json")
    assert json.loads(document(ran.out))["spec"]["data"] == f"file://{data.parent}/caf%E9.jsonl"
    with Bridge() as bridge:
        assert bridge.job("last").spec.data == data
        assert here("show", "last").code == 0


@pytest.mark.parametrize("name", [NAME, "caf\u00e9.jsonl", "100%25.jsonl", "a b.jsonl"])
def test_a_spec_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    spec = Spec(target="local:tiny", data=tmp_path / name)
    text = spec.model_dump_json()
    assert Spec.model_validate_json(text) == spec
    assert (os.fsencode(name) in text.encode()) == (name != NAME)


def test_a_name_that_no_file_has_is_an_error(here: Cli) -> None:
    ran = here("check", "nothing\udce9.jsonl")
    assert ran.code == 2
    assert "is not UTF-8, and not the name of a file" in ran.err
