"""Ctrl-C while a dataset is submitted: what is left is said, so that nothing is asked for twice."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from command_line import Cli

MOCKED = "mock+openai:gpt-4.1-mini-2025-04-14"


def stop(*_given: object, **_named: object) -> NoReturn:
    raise KeyboardInterrupt


def test_before_a_job_is_made_nothing_is_left(here: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("ftbridge.jobs.exactly_once.find_or_create.prepare", stop)
        ran = here("submit", rows, "--to", MOCKED)
    assert ran.code == 130
    assert "nothing was sent, and no job was created" in ran.err
    assert "interrupted" in ran.err
    assert here("jobs", "--json").json["jobs"] == []


def test_a_job_that_may_be_on_its_way_is_named_with_what_to_do(
    here: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("ftbridge.jobs.queue.submit", stop)
        ran = here("submit", rows, "--to", MOCKED)
    assert ran.code == 130
    [job] = here("jobs", "--json").json["jobs"]
    assert job["status"] == "submitting"
    assert f"`ftbridge watch {job['id']}` goes on with it" in ran.err
    assert here("watch", job["id"]).code == 0
    assert len(here("jobs", "--json").json["jobs"]) == 1
