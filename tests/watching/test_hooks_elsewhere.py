"""The hooks of a home and of a trusted project are called once for each change, whoever sees it, and wherever."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.mock.vendors import MockVendors
from watching_helpers import OPENAI, standing_still

SCRIPT = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')"


def configure(folder: Path, hook: str, received: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ftbridge.toml"
    file.write_text(f"[hooks.{hook}]\ncommand = {json.dumps([sys.executable, '-c', SCRIPT, str(received)])}\n", "utf-8")
    return file


def heard_of(received: Path, job: str) -> Counter[tuple[str, str]]:
    lines = received.read_text("utf-8").splitlines() if received.exists() else []
    reported = [json.loads(line)["data"] for line in lines]
    return Counter((one["event"]["kind"], one["event"]["at"]) for one in reported if one["job"]["id"] == job)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.mark.usefixtures("vendors")
@pytest.mark.parametrize("reader", ["jobs", "show", "watch", "recover", "submit"])
def test_a_change_that_any_command_sees_in_another_folder_is_delivered_once_by_the_next_watch(
    here: Cli, home: Path, tmp_path: Path, data: Path, elsewhere: Path, reader: str
) -> None:
    by_home, by_project = tmp_path / "home.jsonl", tmp_path / "project.jsonl"
    configure(home, "mine", by_home)
    project = configure(tmp_path / "project", "team", by_project).parent
    os.chdir(project)
    assert here("trust", "--yes").code == 0
    job = here("submit", data, "--to", OPENAI, "--json").json["id"]
    os.chdir(elsewhere)
    words = {"show": ["show", job], "watch": ["watch", job], "submit": ["submit", data, "--to", OPENAI, "--again"]}
    assert here(*words.get(reader, [reader])).code == 0
    assert (reader == "watch") == bool(heard_of(by_home, job))
    assert here("watch", job).code == 0
    with Bridge() as bridge:
        events = [event.model_dump(mode="json") for event in bridge.events(job) if event.kind in ("status", "message")]
    expected = Counter((event["kind"], event["at"]) for event in events)
    assert expected
    assert heard_of(by_home, job) == expected
    assert heard_of(by_project, job) == expected
    here("watch")
    assert heard_of(by_home, job) == expected


@pytest.mark.usefixtures("vendors")
def test_jobs_of_elsewhere_are_not_told_to_a_projects_hooks(
    here: Cli, home: Path, tmp_path: Path, data: Path, elsewhere: Path
) -> None:
    by_home, by_project = tmp_path / "home.jsonl", tmp_path / "project.jsonl"
    configure(home, "mine", by_home)
    project = configure(tmp_path / "project", "team", by_project).parent
    os.chdir(elsewhere)
    job = here("submit", data, "--to", OPENAI, "--json").json["id"]
    os.chdir(project)
    here("trust", "--yes")
    here("watch", job)
    assert heard_of(by_home, job)
    assert not by_project.exists()


def test_a_project_that_is_not_trusted_runs_nothing_and_says_what_to_type(
    here: Cli, vendors: MockVendors, tmp_path: Path, data: Path
) -> None:
    received = tmp_path / "project.jsonl"
    file = configure(tmp_path / "project", "team", received)
    os.chdir(file.parent)
    with standing_still(vendors):
        submitted = here("submit", data, "--to", OPENAI, "--json")
        why = f"the hooks in {file} are not called, because it is not trusted: `ftbridge trust {file}`"
        assert why in submitted.err
        assert here("jobs").code == 0
        assert here("trust", "--yes").code == 0
    watched = here("watch", submitted.json["id"])  # what happens from the trust on is told
    assert watched.code == 0
    assert "trust" not in watched.err
    assert any(kind == "status" for kind, _at in heard_of(received, submitted.json["id"]))


@pytest.mark.usefixtures("vendors")
def test_a_project_that_has_changed_is_owed_its_deliveries_until_it_is_trusted_again(
    here: Cli, tmp_path: Path, data: Path, elsewhere: Path
) -> None:
    received, other = tmp_path / "heard.jsonl", tmp_path / "other.jsonl"
    file = configure(tmp_path / "project", "team", received)
    os.chdir(file.parent)
    here("trust", "--yes")
    job = here("submit", data, "--to", OPENAI, "--json").json["id"]
    configure(file.parent, "team", other)
    os.chdir(elsewhere)
    watched = here("watch", job)
    assert watched.err.count(f"because {file} has changed since it was trusted") == 1
    assert not received.exists()
    assert not other.exists()
    assert here("trust", file.parent, "--yes").code == 0
    here("watch")
    assert heard_of(other, job)
    assert not received.exists()


@pytest.mark.usefixtures("vendors")
def test_the_hooks_of_a_project_that_is_gone_are_called_until_it_is_not_trusted_any_more(
    here: Cli, tmp_path: Path, data: Path, elsewhere: Path
) -> None:
    received = tmp_path / "heard.jsonl"
    file = configure(tmp_path / "project", "team", received)
    os.chdir(file.parent)
    here("trust", "--yes")
    first = here("submit", data, "--to", OPENAI, "--json").json["id"]
    second = here("submit", data, "--to", OPENAI, "--again", "--json").json["id"]
    file.unlink()
    os.chdir(elsewhere)
    here("watch", first)
    assert heard_of(received, first)
    assert "which is gone" in here("trust", "--list").out
    before = heard_of(received, second)
    assert "is not trusted any more" in here("trust", "--remove", file).out
    here("watch", second)
    assert heard_of(received, second) == before


@pytest.mark.usefixtures("vendors")
def test_a_hooks_program_is_the_one_beside_its_file_and_runs_there(
    here: Cli, tmp_path: Path, data: Path, elsewhere: Path
) -> None:
    project = tmp_path / "project"
    for folder in (project, elsewhere):
        folder.mkdir(exist_ok=True)
        program = folder / "notify-the-team"
        program.write_text(f"#!/bin/sh\npwd > {folder}/told\n", "utf-8")
        program.chmod(0o755)
    (project / "ftbridge.toml").write_text('[hooks.team]\ncommand = ["./notify-the-team"]\n', "utf-8")
    os.chdir(project)
    assert f"hook team: runs {project / 'notify-the-team'}\n" in here("trust", "--yes").out
    job = here("submit", data, "--to", OPENAI, "--json").json["id"]
    os.chdir(elsewhere)
    here("watch", job)
    assert (project / "told").read_text("utf-8") == f"{project}\n"
    assert not (elsewhere / "told").exists()
