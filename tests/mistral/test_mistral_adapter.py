"""What Mistral's adapter sends, and what it makes of every kind of answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ftbridge.dataset.example import Assistant, Chat, Developer, FunctionCall, Tool, ToolCall, User
from ftbridge.endpoint import Endpoint
from ftbridge.errors import (
    AccessDenied,
    AuthenticationFailed,
    BadAnswer,
    Conflict,
    FtbridgeError,
    InvalidRequest,
    NetworkError,
    NotFound,
    ProviderRetired,
    QuotaExceeded,
    RateLimited,
    ServerTrouble,
    SpecError,
)
from ftbridge.model import Hyperparameters, Spec, Status
from ftbridge.provider import Files, RemoteJob
from ftbridge_providers.mistral.adapter import JOBS, MistralProvider
from ftbridge_providers.mistral.mock import MistralMock
from ftbridge_providers.mistral.reading import JobBody
from spec_check import check_seen

MODEL = "open-mistral-nemo"
TAG = "ftb_0123456789ab"


def made(mock: MistralMock) -> int:
    """How many jobs the vendor has."""
    return len(list((mock.store.folder / "jobs").glob("*.json")))


def finished(provider: MistralProvider, remote_id: str) -> RemoteJob:
    for _look in range(100):
        [job] = provider.poll([remote_id])
        if job.status.final:
            return job
        time.sleep(0.05)
    raise AssertionError("the job does not end")


def test_a_whole_life_agrees_with_the_vendors_document(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files, tmp_path: Path
) -> None:
    job = provider.create(spec, MODEL, Files(training=files.training, validation=files.training), tag=TAG)
    assert (job.status, job.raw_status) == (Status.QUEUED, "QUEUED")
    stopped = provider.create(spec, MODEL, files, tag="ftb_stopped")
    provider.cancel(stopped.remote_id)
    done = finished(provider, job.remote_id)
    assert done.status is Status.SUCCEEDED
    assert done.trained_tokens
    assert done.cost_usd == pytest.approx(done.trained_tokens * 2 / 1e6)
    assert finished(provider, stopped.remote_id).status is Status.CANCELLED
    assert len(list(provider.poll([job.remote_id, stopped.remote_id, "x", "y"]))) == 2
    metrics = [event for event in provider.events(job.remote_id, "") if event.kind == "metric"]
    assert [event.step for event in metrics] == [*range(2, 25, 2)]
    assert metrics[-1].valid_loss
    assert all(event.token_accuracy is None for event in metrics)
    result = provider.fetch(job.remote_id, tmp_path / "out")
    account = json.loads((tmp_path / "out" / "job.json").read_text("utf-8"))
    assert account["hyperparameters"]["epochs"] == 2
    assert len(account["checkpoints"]) == len(metrics)
    assert result.model
    assert provider.chat(result.model, Chat(messages=[User(content="q3")]), max_tokens=9).text == "a3"
    assert result.model in provider.models()
    provider.delete(result.model)
    assert result.model not in provider.models()
    operations = check_seen("mistral", mock.seen)
    assert len(operations) == 10, sorted(operations)


def test_what_is_asked_for_is_what_is_sent(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files
) -> None:
    provider.create(spec, MODEL, Files(training=files.training, validation=files.training), tag=TAG)
    [sent] = [seen.call.body for seen in mock.seen if seen.operation == "create_job"]
    assert sent == {
        "model": MODEL,
        "job_type": "completion",
        "training_files": [{"file_id": files.training, "weight": 1}],
        "validation_files": [files.training],
        "hyperparameters": {
            "epochs": 2,
            "learning_rate": 2e-4,
            "weight_decay": 0.05,
            "warmup_fraction": 0.1,
            "seq_len": 4096,
        },
        "suffix": TAG,
        "auto_start": False,
    }


def test_what_is_left_out_is_left_to_mistral(
    provider: MistralProvider, mock: MistralMock, data: Path, files: Files
) -> None:
    provider.create(Spec(target=f"mistral:{MODEL}", data=data), MODEL, files, tag=TAG)
    [sent] = [seen.call.body for seen in mock.seen if seen.operation == "create_job"]
    assert sent["hyperparameters"] == {}
    assert "validation_files" not in sent


def test_a_sequence_length_below_mistrals_least_is_refused_with_the_nearest(
    provider: MistralProvider, spec: Spec
) -> None:
    short = spec.model_copy(update={"hyperparameters": Hyperparameters(max_seq_length=64)})
    with pytest.raises(SpecError, match="max_seq_length = 64") as problem:
        provider.check_spec(short)
    assert problem.value.hint == "The nearest it takes is 100."


def test_a_name_that_mistral_will_not_see_is_said(provider: MistralProvider, spec: Spec) -> None:
    said, _spec = provider.check_spec(spec.model_copy(update={"name": "tickets"}))
    assert any("'tickets' is not sent" in sentence for sentence in said)


def test_a_file_the_vendor_has_is_not_sent_again(provider: MistralProvider, mock: MistralMock, data: Path) -> None:
    first = provider.upload(data, key="k1")
    assert provider.upload(data, key="k1") == first
    assert provider.upload(data, key="k2") != first
    assert sum(seen.operation == "upload_file" for seen in mock.seen) == 2


def test_an_upload_that_breaks_off_is_sent_again_whole(
    provider: MistralProvider, mock: MistralMock, tmp_path: Path
) -> None:
    big = tmp_path / "big.jsonl"
    big.write_bytes(b'{"text": "' + b"x" * 3_000_000 + b'"}\n')
    mock.faults.add("upload_file=cut-upload")
    file = provider.upload(big, key="k1")
    assert mock.content(file) == big.read_bytes()


def test_an_upload_whose_answer_was_lost_is_found_by_its_name(
    provider: MistralProvider, mock: MistralMock, data: Path
) -> None:
    mock.faults.add("upload_file=cut-after")
    file = provider.upload(data, key="k1")
    assert [seen.answer.body["id"] for seen in mock.seen if seen.operation == "upload_file"] == [file]


def test_a_file_that_mistral_cannot_read_is_refused_with_its_line(provider: MistralProvider, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "fine"}\n{"text": \n', "utf-8")
    with pytest.raises(InvalidRequest, match=r"Invalid file format\. line 2: Invalid JSON\."):
        provider.upload(bad, key="k1")


def test_bad_samples_are_the_jobs_failure_in_the_vendors_words(
    provider: MistralProvider, spec: Spec, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    rows[4]["messages"].reverse()
    bad = tmp_path / "bad.jsonl"
    bad.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    job = provider.create(spec, MODEL, Files(training=provider.upload(bad, key="k3")), tag=TAG)
    assert (job.status, job.raw_status) == (Status.FAILED, "FAILED_VALIDATION")
    assert job.error == (
        "Mistral ended the job as FAILED_VALIDATION: Sample 5: Expected last role Assistant for finetuning but got user"
    )
    many = {remote.remote_id: remote for remote in provider.poll([job.remote_id, "a", "b", "c"])}
    assert many[job.remote_id] == job


def test_a_model_is_asked_in_the_words_it_was_trained_on(provider: MistralProvider, mock: MistralMock) -> None:
    call = ToolCall(id="call_abc123", function=FunctionCall(name="look", arguments="{}"), type="function")
    chat = Chat(
        messages=[
            Developer(content="Be brief."),
            User(content="q", name="ann"),
            Assistant(tool_calls=[call], weight=0),
            Tool(content="found", tool_call_id="call_abc123"),
        ]
    )
    provider.chat(MODEL, chat)
    [sent] = [seen.call.body["messages"] for seen in mock.seen if seen.operation == "chat"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool"]
    assert len(sent[3]["tool_call_id"]) == 9
    assert sent[2]["tool_calls"][0]["id"] == sent[3]["tool_call_id"]
    assert "name" not in sent[1]
    assert "weight" not in sent[2]
    assert check_seen("mistral", mock.seen) == {"POST /v1/chat/completions"}


CREATE_FAULTS: dict[str, tuple[type[FtbridgeError], int]] = {
    "500": (ServerTrouble, 0),
    "500-after": (ServerTrouble, 1),
    "cut": (NetworkError, 0),
    "cut-after": (NetworkError, 1),
    "truncate": (BadAnswer, 1),
    "invalid-json": (BadAnswer, 1),
    "html": (BadAnswer, 1),
    "redirect": (BadAnswer, 0),
    "429:3600": (RateLimited, 0),
    "401": (AuthenticationFailed, 0),
    "402": (QuotaExceeded, 0),
    "403": (AccessDenied, 0),
    "404": (NotFound, 0),
    "409": (Conflict, 0),
    "410": (ProviderRetired, 0),
    "413": (InvalidRequest, 0),
    "422": (InvalidRequest, 0),
    "501": (ProviderRetired, 0),
}


@pytest.mark.parametrize("fault", CREATE_FAULTS)
def test_a_create_is_one_request_whatever_comes_back(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files, fault: str
) -> None:
    kind, jobs = CREATE_FAULTS[fault]
    mock.faults.add(f"create_job={fault}")
    with pytest.raises(kind) as problem:
        provider.create(spec, MODEL, files, tag=TAG)
    assert type(problem.value) is kind
    assert problem.value.hint
    assert made(mock) == jobs
    found = provider.find(TAG)
    assert bool(found) is bool(jobs)
    assert made(mock) == jobs


@pytest.mark.parametrize("fault", ["500", "cut", "cut-after", "429:0.1", "500-after"])
def test_reads_starts_and_uploads_outlast_trouble(
    provider: MistralProvider, mock: MistralMock, spec: Spec, data: Path, fault: str
) -> None:
    mock.faults.add(f"list_files={fault}")
    mock.faults.add(f"upload_file={fault}")
    files = Files(training=provider.upload(data, key="k1"))
    mock.faults.add(f"start_job={fault}")
    job = provider.create(spec, MODEL, files, tag=TAG)
    mock.faults.add(f"*={fault}")
    [seen] = provider.poll([job.remote_id])
    assert seen.remote_id == job.remote_id
    assert made(mock) == 1


ASK: dict[str, Callable[[MistralProvider, Path], Any]] = {
    "list_files": lambda provider, data: provider.upload(data, key="k1"),
    "list_models": lambda provider, _data: provider.models(),
    "chat": lambda provider, _data: provider.chat(MODEL, Chat(messages=[User(content="q")])),
    "get_job": lambda provider, _data: list(provider.poll(["a"])),
    "list_jobs": lambda provider, _data: provider.find(TAG),
}


@pytest.mark.parametrize("fault", ["html", "invalid-json", "truncate", "redirect"])
@pytest.mark.parametrize("operation", ASK)
def test_an_answer_that_is_not_mistrals_is_a_bad_answer(
    provider: MistralProvider, mock: MistralMock, data: Path, operation: str, fault: str
) -> None:
    mock.faults.add(f"{operation}={fault}")
    with pytest.raises(BadAnswer):
        ASK[operation](provider, data)


def test_an_answer_that_never_comes_is_a_network_error(
    endpoint: Endpoint, mock: MistralMock, spec: Spec, files: Files, tmp_path: Path
) -> None:
    class Impatient(MistralProvider):
        timeout: ClassVar[float] = 0.2

    provider = Impatient(tmp_path, endpoint)
    mock.faults.add("create_job=slow:0.5")
    with pytest.raises(NetworkError, match="did not answer in time"):
        provider.create(spec, MODEL, files, tag=TAG)
    provider.close()


def test_a_listing_that_lags_does_not_show_the_job_yet(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files
) -> None:
    mock.faults.add("list_jobs=lag:60")
    provider.create(spec, MODEL, files, tag=TAG)
    assert provider.find(TAG) == []
    mock.faults.clear()
    assert provider.find(TAG)


def test_a_status_nobody_knows_is_kept(provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files) -> None:
    job = provider.create(spec, MODEL, files, tag=TAG)
    mock.faults.add("get_job=unknown-status")
    [seen] = provider.poll([job.remote_id])
    assert (seen.status, seen.raw_status) == (Status.UNKNOWN, "DEFRAGMENTING")


def test_a_job_fails_with_a_sentence_though_mistral_gives_no_reason(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files
) -> None:
    mock.faults.add("create_job=fail")
    failed = finished(provider, provider.create(spec, MODEL, files, tag=TAG).remote_id)
    assert (failed.status, failed.error) == (Status.FAILED, "Mistral ended the job as FAILED")


def test_a_job_without_our_tag_is_never_adopted(provider: MistralProvider, spec: Spec, files: Files) -> None:
    provider.create(spec, MODEL, files, tag="ftb_other")
    assert provider.find(TAG) == []


def test_many_jobs_are_polled_by_pages(provider: MistralProvider, mock: MistralMock, files: Files) -> None:
    request = {"model": MODEL, "hyperparameters": {}, "training_files": [{"file_id": files.training}]}
    ids = [provider.client.ask("POST", JOBS, JobBody, json=request).id for _job in range(101)]
    before = len(mock.seen)
    assert {job.remote_id for job in provider.poll(ids)} == set(ids)
    assert [seen.operation for seen in mock.seen[before:]] == ["list_jobs", "list_jobs"]


def test_a_key_is_in_no_error_and_no_log(
    provider: MistralProvider,
    mock: MistralMock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MISTRAL_DEBUG", "1")
    mock.faults.add("list_models=401")
    with pytest.raises(AuthenticationFailed, match="Unauthorized") as problem:
        provider.models()
    assert problem.value.request_id
    shown = f"{problem.value!r} {problem.value.describe()} {problem.value.__cause__!r} {provider.endpoint!r}"
    assert "canary-key" not in shown + caplog.text + "".join(capfd.readouterr())
