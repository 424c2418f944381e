"""What a person types next, after each thing that can go wrong: the promise holds then, too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.attack import LAG, Scene, new_scene
from faults.stubs.conduct import Listing, Mishap
from faults.stubs.openai_stub import OpenAIStub
from faults.stubs.wire import StubServer, serving
from ftbridge.answers import network_error
from ftbridge.model import Status
from ftbridge.remote import RemoteJob
from ftbridge_providers.openai.adapter import OpenAIProvider


class ConnectError(Exception):
    """As httpx calls it."""


HIDDEN = Listing(lag_seconds=0.8 * LAG)


@pytest.fixture
def server() -> Iterator[StubServer]:
    with serving(OpenAIStub()) as running:
        yield running


@pytest.fixture
def scene(
    server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scene:
    return new_scene(server, "openai", tmp_path / "scene", monkeypatch, capsys)


def pass_time() -> None:
    time.sleep(2.2 * LAG)


def test_a_key_whose_job_failed_at_the_vendor_gives_that_job_again(scene: Scene) -> None:
    first = scene.submit("--key", "k")
    scene.vendor.become(scene.vendor.made[0], "failed")
    scene.type("jobs")
    again = scene.submit("--key", "k")
    assert (again.code, again.out) == (0, first.out)
    assert "is failed" in again.err


def test_cancel_last_means_one_job_from_its_beginning_to_its_end(scene: Scene) -> None:
    running = scene.submit().out.strip()
    scene.vendor.conduct.creates = [Mishap(False, cut=True)]
    scene.vendor.conduct.listing = Listing(refused=500)
    scene.submit("--again")
    scene.vendor.conduct.listing = Listing()
    ran = scene.type("cancel", "last")
    assert ran.code == 0
    assert running not in ran.out
    assert [job.state for job in scene.vendor.made] != ["cancelled"]


def test_a_refused_job_that_may_be_there_is_told_by_recover(scene: Scene) -> None:
    scene.vendor.conduct.creates = [Mishap(True, status=404)]
    scene.vendor.conduct.listing = Listing(lag_seconds=600)
    refused = scene.submit()
    assert (refused.code, "ftbridge recover" in refused.err) == (3, True)
    looked = scene.type("recover")
    assert (looked.code, "may have it all the same" in looked.out) == (1, True)


def test_a_key_given_after_an_unclear_refusal_is_the_same_job(scene: Scene) -> None:
    scene.vendor.conduct.creates = [Mishap(True, status=404)]
    scene.vendor.conduct.listing = HIDDEN
    scene.submit()
    scene.submit("--key", "k")
    pass_time()
    scene.type("recover")
    assert len(scene.vendor.made) == 1
    assert [job.remote_id for job in scene.jobs] == [scene.vendor.made[0].id]


def test_another_one_that_the_budget_refuses_leaves_the_first_as_it_was(scene: Scene) -> None:
    scene.vendor.conduct.creates = [Mishap(True, cut=True)]
    scene.vendor.conduct.listing = HIDDEN
    scene.submit()
    Path("ftbridge.toml").write_text("[budgets]\nopenai = 0.000001\n", "utf-8")
    assert scene.submit("--again").code == 2
    pass_time()
    scene.type("recover")
    assert [job.remote_id for job in scene.jobs] == [scene.vendor.made[0].id]
    assert len(scene.vendor.running) == 1


def test_an_answer_with_another_jobs_id_is_not_believed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.submit()
    first = scene.vendor.made[0].id
    true = OpenAIProvider.create

    def mistaken(self: OpenAIProvider, *asked: object, **named: object) -> RemoteJob:
        made: RemoteJob = true(self, *asked, **named)  # type: ignore[arg-type]  # passed on as they come
        return made.model_copy(update={"remote_id": first})

    monkeypatch.setattr(OpenAIProvider, "create", mistaken)
    scene.submit("--again")
    assert sorted(str(job.remote_id) for job in scene.jobs) == sorted(job.id for job in scene.vendor.made)


def test_what_was_never_sent_is_sent_with_another_key(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(self: OpenAIProvider, *_asked: object, **_named: object) -> RemoteJob:
        raise network_error("openai", ConnectError("no route"))

    with monkeypatch.context() as patch:
        patch.setattr(OpenAIProvider, "create", unreachable)
        assert scene.submit().code == 4
    monkeypatch.setenv("OPENAI_API_KEY", "another-key")
    assert scene.submit().code == 0
    assert len(scene.vendor.made) == 1


def test_the_wrong_id_is_not_adopted_while_the_right_job_can_be_found(scene: Scene) -> None:
    scene.vendor.fill(1)
    scene.vendor.conduct.creates = [Mishap(True, cut=True)]
    scene.vendor.conduct.listing = Listing(refused=500)
    scene.submit()
    scene.vendor.conduct.listing = Listing()
    [job] = scene.jobs
    ran = scene.type("recover", job.id, "--adopt", scene.vendor.jobs[0].id)
    assert (ran.code, scene.vendor.made[0].id in ran.err) == (2, True)
    assert scene.jobs[0].status is Status.SUBMITTING
