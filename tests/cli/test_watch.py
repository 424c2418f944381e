"""`watch` begins with where a job stands, and not with where it stood when somebody looked last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge, Job
from ftbridge.mock.vendors import MockVendors
from hosted_helpers import finished
from watching_helpers import OPENAI, standing_still


@pytest.fixture
def over(rows: Path, ftbridge_mock: MockVendors, request: pytest.FixtureRequest) -> Job:
    """A job that is over at its vendor, which nobody here has seen."""
    if request.param == "failed":
        ftbridge_mock["openai"].faults.add("create_job=fail")
    with Bridge() as bridge:
        job = bridge.submit(rows, to=OPENAI)
        finished(bridge.provider_named("openai"), str(job.remote_id))
        assert not bridge.job(job).status.final
    return job


@pytest.mark.parametrize("over", ["succeeded"], indirect=True)
def test_a_job_that_has_ended_unseen_is_told_of_in_one_line(here: Cli, over: Job) -> None:
    watched = here("watch", over.id)
    assert watched.code == 0
    [line] = watched.out.splitlines()
    assert line.startswith(f"{over.id} has succeeded, step ")


@pytest.mark.parametrize("over", ["failed"], indirect=True)
def test_a_job_that_has_failed_unseen_is_told_of_with_the_reason(here: Cli, over: Job) -> None:
    watched = here("watch", over.id, "--json")
    assert watched.code == 1
    told = json.loads(watched.out)
    assert (told["id"], told["status"]) == (over.id, "failed")
    assert told["message"]
    again = here("watch", over.id)
    assert again.out.startswith(f"{over.id} has failed, step ")
    assert again.out.strip().endswith(told["message"])


def test_a_job_that_waits_is_told_of_with_its_place(here: Cli, rows: Path, ftbridge_mock: MockVendors) -> None:
    (Path.cwd() / "ftbridge.toml").write_text("[limits]\nopenai = 1\n", "utf-8")
    with standing_still(ftbridge_mock):
        here("submit", rows, "--to", OPENAI)
        waiting = here("submit", rows, "--to", OPENAI, "--again").out.strip()
        assert f"{waiting} waits, position 1" in here("recover").out
    watched = here("watch", waiting)
    assert watched.code == 0
    first, *_others, last = watched.out.splitlines()
    assert first == f"{waiting} waits, position 1"
    assert "succeeded" in last
