"""What Mistral's adapter sends, and what it makes of every kind of answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbridge.dataset.canonical.example import Assistant, Chat, Developer, FunctionCall, Tool, ToolCall, User
from ftbridge.errors import AuthenticationFailed, InvalidRequest, SpecError
from ftbridge.model import Hyperparameters, Spec, Status
from ftbridge.provider import Artifact, Files
from ftbridge_providers.mistral.adapter import JOBS, MistralProvider
from ftbridge_providers.mistral.mock.vendor import MistralMock
from ftbridge_providers.mistral.reading import JobBody
from hosted_helpers import asked, finished, sent
from small_data import CHATS, write_rows
from spec_check import check_operations, check_seen

MODEL = "open-mistral-nemo"
TAG = "ftb_0123456789ab"


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
    assert done.cost_usd is None  # Mistral tells what a job was estimated at, never what was billed
    assert done.estimate_tokens == done.trained_tokens
    assert done.estimate_usd == 4.0  # the minimum charge, which Mistral's own figure leaves out
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
    assert result.model in provider.list_models()
    provider.delete(Artifact(kind="model", name=result.model))
    assert result.model not in provider.list_models()
    check_operations("mistral", "adapter", mock.seen)


def test_what_is_asked_for_is_what_is_sent(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files
) -> None:
    provider.create(spec, MODEL, Files(training=files.training, validation=files.training), tag=TAG)
    [body] = sent(mock, "create_job")
    assert body == {
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
    [body] = sent(mock, "create_job")
    assert body["hyperparameters"] == {}
    assert "validation_files" not in body


def test_a_sequence_length_below_mistrals_least_is_refused_with_the_nearest(
    provider: MistralProvider, spec: Spec
) -> None:
    short = spec.model_copy(update={"hyperparameters": Hyperparameters(max_seq_length=64)})
    with pytest.raises(SpecError, match="max_seq_length = 64") as problem:
        provider.check_spec(short)
    assert problem.value.hint == "The nearest it takes is 100."


def test_a_name_that_mistral_will_not_see_is_said(provider: MistralProvider, spec: Spec) -> None:
    texts, _spec = provider.check_spec(spec.model_copy(update={"name": "tickets"}))
    assert any("'tickets' is not sent" in sentence for sentence in texts)


def test_a_file_the_vendor_has_is_not_sent_again(provider: MistralProvider, mock: MistralMock, data: Path) -> None:
    first = provider.upload(data, key="k1")
    assert provider.upload(data, key="k1") == first
    assert provider.upload(data, key="k2") != first
    assert asked(mock, "upload_file") == 2


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
    provider: MistralProvider, spec: Spec, tmp_path: Path
) -> None:
    backwards = {"messages": CHATS[4]["messages"][::-1]}
    bad = write_rows(tmp_path / "bad.jsonl", [*CHATS[:4], backwards, *CHATS[5:]])
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
    [body] = sent(mock, "chat")
    _system, user, answer, tool = body["messages"]
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "tool"]
    assert len(tool["tool_call_id"]) == 9
    assert answer["tool_calls"][0]["id"] == tool["tool_call_id"]
    assert "name" not in user
    assert "weight" not in answer
    assert check_seen("mistral", mock.seen) == {"POST /chat/completions"}


@pytest.mark.parametrize("fault", ["500", "cut", "cut-after", "429:0.1", "500-after"])
def test_a_start_outlasts_trouble_and_is_one(
    provider: MistralProvider, mock: MistralMock, spec: Spec, files: Files, fault: str
) -> None:
    mock.faults.add(f"start_job={fault}")
    provider.create(spec, MODEL, files, tag=TAG)
    assert mock.faults.left() == 0
    assert [seen.answer.status for seen in mock.seen if seen.operation == "start_job"].count(200) == 1


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
    ids = [provider.client.send("POST", JOBS, JobBody, json=request).id for _job in range(101)]
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
        provider.list_models()
    assert problem.value.request_id
    shown = f"{problem.value!r} {problem.value.describe()} {problem.value.__cause__!r} {provider.connection!r}"
    assert "canary-key" not in shown + caplog.text + "".join(capfd.readouterr())
