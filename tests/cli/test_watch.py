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
    output = json.loads(watched.out)
    assert (output["id"], output["status"]) == (over.id, "failed")
    assert output["message"]
    again = here("watch", over.id)
    assert again.out.startswith(f"{over.id} has failed, step ")
    assert again.out.strip().endswith(output["message"])


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


def test_where_a_result_was_put_is_said(here: Cli, rows: Path, ftbridge_mock: MockVendors) -> None:
    job = here("submit", rows, "--to", OPENAI, "--name", "mine").out.strip()
    watched = here("watch", "mine", "--fetch", "results")
    assert watched.code == 0
    assert watched.out.splitlines()[-1].endswith(f"  {job} (mine)  the result is in results/{job}")
    assert (Path("results") / job).is_dir()
    output = [json.loads(line) for line in here("watch", "mine", "--fetch", "results", "--json").out.splitlines()]
    assert [(event.get("code"), event.get("message")) for event in output][-1] == (
        "fetched",
        f"the result is in results/{job}",
    )


@pytest.mark.parametrize("over", ["succeeded"], indirect=True)
def test_a_result_that_could_not_be_fetched_is_a_failure(here: Cli, over: Job, ftbridge_mock: MockVendors) -> None:
    ftbridge_mock["openai"].faults.add("get_file_content=404x9")
    watched = here("watch", over.id, "--fetch", "results")
    assert watched.code == 1
    assert f"the result of {over.id} could not be fetched" in watched.err
    assert "the result is in" not in watched.out


def test_without_a_key_the_error_alone_says_so(
    here: Cli, rows: Path, ftbridge_mock: MockVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standing_still(ftbridge_mock):
        job = here("submit", rows, "--to", OPENAI).out.strip()
        monkeypatch.delenv("OPENAI_API_KEY")
        watched = here("watch")
    assert watched.code == 2
    assert watched.out.splitlines() == [f"{job} is validating"]
    assert watched.err.splitlines() == [
        "error: there is no key for openai",
        "       Set OPENAI_API_KEY in the environment.",
    ]
