"""Making a job at Mistral takes two requests; whatever dies between them, there is one job and it is started."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from ftbridge import Bridge
from ftbridge.errors import ProviderError, ProviderRetired
from ftbridge.model import Spec, Status
from ftbridge.provider import Files
from ftbridge.provider.connection import Connection
from ftbridge_providers.mistral.adapter import JOBS, MistralProvider
from ftbridge_providers.mistral.mock.vendor import MistralMock
from ftbridge_providers.mistral.reading import JobBody, awaits, read_events, read_job
from hosted_helpers import asked

MODEL = "open-mistral-nemo"
TAG = "ftb_0123456789ab"


def body(status: str, *words: str, **more: Any) -> JobBody:
    """A job whose events, all of one second, come in the order given."""
    events = [{"name": "status-updated", "created_at": 5, "data": {"status": word}} for word in words]
    return msgspec.convert({"id": "j", "status": status, "created_at": 5, "events": events, **more}, JobBody)


@pytest.fixture
def request_body(files: Files) -> dict[str, Any]:
    """What `create` posts, for a process that dies right after."""
    training = [{"file_id": files.training}]
    return {"model": MODEL, "training_files": training, "hyperparameters": {"epochs": 1}, "suffix": TAG}


def test_a_job_is_started_once_and_only_when_its_files_are_validated(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files
) -> None:
    made = provider.create(spec, MODEL, files, tag=TAG)
    assert made.raw_status == "QUEUED"
    assert asked(mock, "create_job") == asked(mock, "start_job") == 1
    [found] = provider.find(TAG)
    assert provider.start(found, spec).remote_id == made.remote_id
    assert asked(mock, "start_job") == 1


def test_a_process_that_dies_between_create_and_start_leaves_a_job_that_is_found_and_started(
    provider: MistralProvider, mock: MistralMock, spec: Spec, request_body: dict[str, Any]
) -> None:
    job = provider.client.send("POST", JOBS, JobBody, json={**request_body, "auto_start": False})
    time.sleep(0.1)
    assert [remote.raw_status for remote in provider.poll([job.id])] == ["VALIDATED"]
    assert asked(mock, "start_job") == 0
    [found] = provider.find(TAG)
    assert (found.remote_id, found.raw_status) == (job.id, "VALIDATED")
    assert asked(mock, "start_job") == 0
    started = provider.start(found, spec)
    assert (started.remote_id, started.raw_status) == (job.id, "QUEUED")
    assert asked(mock, "create_job") == asked(mock, "start_job") == 1


def test_a_start_whose_answer_is_lost_is_not_repeated(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files
) -> None:
    mock.faults.add("start_job=cut-after")
    provider.create(spec, MODEL, files, tag=TAG)
    assert asked(mock, "start_job") == 1


def test_a_start_that_is_refused_leaves_the_job_to_recover(
    mock: MistralMock, base_url: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "any")
    monkeypatch.setenv("MISTRAL_BASE_URL", base_url)
    mock.faults.add("start_job=402")
    bridge = Bridge()
    with pytest.raises(ProviderError, match="may not have been started: mistral answered 402") as problem:
        bridge.submit(data, f"mistral:{MODEL}", epochs=1)
    assert "ftbridge recover" in problem.value.hint
    [job] = bridge.jobs()
    assert job.status is Status.SUBMITTING
    [recovered] = bridge.recover()
    assert recovered.status is Status.QUEUED
    assert asked(mock, "create_job") == 1
    assert bridge.wait(recovered, timeout=30).status is Status.SUCCEEDED


def test_files_that_are_never_validated_do_not_hold_the_submission_for_ever(
    connection: Connection, mock: MistralMock, spec: Spec, files: Files, tmp_path: Path
) -> None:
    class Hasty(MistralProvider):
        validation_seconds: ClassVar[float] = 0.05
        validation_poll_seconds: ClassVar[float] = 0.01

    mock.speed = 1.0
    provider = Hasty(tmp_path, connection)
    with pytest.raises(ProviderError, match=r"not validated after 0\.05 s") as problem:
        provider.create(spec, MODEL, files, tag=TAG)
    assert problem.value.status is None
    assert asked(mock, "start_job") == 0
    provider.close()


@pytest.mark.parametrize("key", ["any", None])
def test_mistrals_own_service_is_refused_before_anything_is_converted_or_uploaded(
    home: Path, data: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.delenv("MISTRAL_BASE_URL", raising=False)
    if key:
        monkeypatch.setenv("MISTRAL_API_KEY", key)
    bridge = Bridge()
    with pytest.raises(ProviderRetired, match=r"2026-07-13, https://github\.com/mistralai/client-ts/") as problem:
        bridge.submit(data, f"mistral:{MODEL}")
    assert "local:" in problem.value.hint
    assert "nebius:" in problem.value.hint
    assert bridge.jobs() == []
    assert not (home / "prepared").exists()


def test_a_route_that_is_gone_is_retired_and_asked_once(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files
) -> None:
    mock.faults.add("list_jobs=410")
    with pytest.raises(ProviderRetired) as problem:
        provider.find(TAG)
    assert problem.value.status == 410
    assert provider.find(TAG) == []


@pytest.mark.parametrize(
    ("job", "awaited"),
    [
        (body("QUEUED"), "validation"),
        (body("QUEUED", "QUEUED"), "validation"),
        (body("VALIDATING", "VALIDATING", "QUEUED"), "validation"),
        (body("VALIDATED", "VALIDATED"), "start"),
        (body("QUEUED", "QUEUED", "VALIDATED", "VALIDATING", "QUEUED"), "nothing"),
        (body("RUNNING"), "nothing"),
        (body("FAILED_VALIDATION"), "nothing"),
        (body("CANCELLATION_REQUESTED"), "nothing"),
        (body("QUEUED", auto_start=True), "nothing"),
        (body("PREPARING", "QUEUED"), "validation"),
        (body("PREPARING", "VALIDATED", "QUEUED"), "start"),
        (body("PREPARING", "QUEUED", "VALIDATED", "QUEUED"), "nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.status} after {len(value.events)} events",
)
def test_what_a_job_awaits_is_told_by_its_status_and_its_events(job: JobBody, awaited: str) -> None:
    assert awaits(job) == awaited


def test_events_are_in_the_order_of_a_jobs_life_however_mistral_lists_them() -> None:
    words = ("SUCCESS", "QUEUED", "RUNNING", "VALIDATED", "QUEUED", "VALIDATING")
    checkpoints = [{"step_number": n, "created_at": 5, "metrics": {"train_loss": 1 / n}} for n in (20, 10)]
    first = read_events(body("SUCCESS", *words, checkpoints=checkpoints), "")
    again = read_events(body("SUCCESS", *reversed(words), checkpoints=checkpoints[::-1]), "")
    assert first == again
    assert [event.status or event.step or event.message for event in first] == [
        "Mistral: QUEUED",
        "Mistral: VALIDATING",
        "Mistral: VALIDATED",
        Status.QUEUED,
        Status.RUNNING,
        10,
        20,
        Status.SUCCEEDED,
    ]


DOLLARS = {"cost": 12.62, "cost_currency": "USD", "train_tokens": 6310000}


def test_a_cost_in_another_currency_is_not_taken_for_dollars() -> None:
    assert read_job(body("RUNNING", metadata=DOLLARS)).estimate_usd == 12.62
    job = read_job(body("RUNNING", metadata={**DOLLARS, "cost_currency": "EUR"}))
    assert job.estimate_usd is None
    assert job.estimate_tokens == 6310000


@pytest.mark.parametrize("status", ["VALIDATED", "RUNNING", "CANCELLED", "FAILED", "SUCCESS"])
def test_mistrals_estimate_is_never_taken_for_what_was_billed(status: str) -> None:
    job = read_job(body(status, metadata=DOLLARS))
    assert (job.cost_usd, job.trained_tokens) == (None, None)
    assert (job.estimate_usd, job.estimate_tokens) == (12.62, 6310000)


@pytest.mark.parametrize(("model", "usd"), [("open-mistral-7b", 4.0), ("unheard-of", 0.5)])
def test_an_estimate_is_no_less_than_the_least_fee(model: str, usd: float) -> None:
    assert read_job(body("RUNNING", model=model, metadata={**DOLLARS, "cost": 0.5})).estimate_usd == usd


@pytest.mark.parametrize(("status", "tokens"), [("SUCCESS", 9), ("CANCELLED", 9), ("RUNNING", None)])
def test_tokens_are_billed_once_the_job_is_over(status: str, tokens: int | None) -> None:
    assert read_job(body(status, trained_tokens=9)).trained_tokens == tokens
