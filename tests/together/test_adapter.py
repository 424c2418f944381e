"""What Together's adapter does on the wire: requests, uploads, events, weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import InvalidRequest, JobFailed, NotFound
from ftbridge.loopback import LoopbackServer
from ftbridge.mock import Answer, Call, operation
from ftbridge.model import Status
from ftbridge.provider import Artifact, Files
from ftbridge.provider.connection import Connection
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.mock.vendor import TogetherMock
from ftbridge_providers.together.reading import ShortJob, read_events, read_job
from hosted_helpers import asked, finished, sent
from spec_check import check_operations
from together_helpers import KEY, MODEL, make_spec

TAG = "ftb_0123456789ab"


def test_all_that_the_adapter_sends_fits_togethers_document(
    provider: TogetherProvider, mock: TogetherMock, files: Files, tmp_path: Path
) -> None:
    spec = make_spec("Support bot", epochs=2)
    files = Files(training=files.training, validation=files.training)
    made = provider.create(spec, MODEL, files, tag=TAG)
    done = finished(provider, made.remote_id)
    assert done.result
    assert done.result.model
    assert provider.find(TAG)
    assert provider.events(made.remote_id, "")
    [checkpoint] = provider.checkpoints(made.remote_id)
    assert provider.fetch(made.remote_id, tmp_path / "out").path
    assert done.result.model in provider.list_models()
    assert str(provider.chat(done.result.model, Chat(messages=[User(content="Say six.")]))) == "six"
    again = provider.create(make_spec(), checkpoint.model, files, tag="ftb_0123456789ac")
    provider.cancel(again.remote_id)
    provider.delete(Artifact(kind="job", name=done.remote_id))
    check_operations("together", "adapter", mock.seen, prefix="/v1")


def test_a_long_name_is_cut_and_the_tag_is_not(provider: TogetherProvider, mock: TogetherMock, files: Files) -> None:
    provider.create(make_spec("An unusually long name for a model, really"), MODEL, files, tag=TAG)
    [body] = sent(mock, "create_job")
    assert len(body["suffix"]) <= 40
    assert body["suffix"].endswith(f"-{TAG}")


def test_a_job_is_found_by_its_whole_tag_only(provider: TogetherProvider, files: Files) -> None:
    provider.create(make_spec("one"), MODEL, files, tag=f"{TAG}0")
    assert provider.find(TAG) == []
    assert provider.find(TAG[4:] + "0") == []
    assert provider.find(f"{TAG}0")


@pytest.mark.parametrize(
    ("status", "estimated", "billed"),
    [("pending", 2.5, None), ("running", 2.5, None), ("cancelled", 2.5, None), ("completed", None, 2.5)],
)
def test_a_price_is_an_estimate_until_the_job_has_succeeded(
    status: str, estimated: float | None, billed: float | None
) -> None:
    job = read_job(ShortJob("ft-1", status, total_price=2_500_000_000, token_count=7))
    assert (job.estimate_usd, job.cost_usd) == (estimated, billed)
    assert (job.estimate_tokens, job.trained_tokens) == (None, 7 if billed else None)


def test_a_finished_job_tells_its_price_and_tokens(provider: TogetherProvider, files: Files) -> None:
    made = provider.create(make_spec(epochs=2), MODEL, files, tag=TAG)
    assert made.status is Status.QUEUED
    assert made.result is None
    done = finished(provider, made.remote_id)
    assert done.trained_tokens
    assert done.cost_usd == pytest.approx(done.trained_tokens * 0.48e-6)
    assert done.result
    assert done.result.model
    assert TAG in done.result.model


def test_a_failed_job_tells_why(provider: TogetherProvider, mock: TogetherMock, files: Files) -> None:
    mock.faults.add("*=fail")
    made = provider.create(make_spec(), MODEL, files, tag=TAG)
    assert finished(provider, made.remote_id).error == "Training failed: the job ran out of memory."


def test_many_jobs_cost_one_look(provider: TogetherProvider, mock: TogetherMock, files: Files) -> None:
    made = [provider.create(make_spec(), MODEL, files, tag=f"ftb_{n:012}").remote_id for n in range(5)]
    seen = list(provider.poll([*made, "ft-nobody"]))
    assert {job.remote_id for job in seen} == set(made)
    assert asked(mock, "list_jobs") == 1
    assert asked(mock, "get_job") == 1  # of the one that is not listed


def test_a_file_is_sent_once_by_a_name_that_tells_its_content(
    provider: TogetherProvider, mock: TogetherMock, rows: Path
) -> None:
    first = provider.upload(rows, key="abc")
    assert provider.upload(rows, key="abc") == first
    [upload] = [seen.call for seen in mock.seen if seen.operation == "upload_file"]
    assert upload.form["file_name"] == "ftbridge-abc.jsonl"
    assert asked(mock, "store_file") == 1


def test_content_that_is_there_by_another_name_is_used(
    provider: TogetherProvider, mock: TogetherMock, rows: Path
) -> None:
    assert provider.upload(rows, key="abc") == provider.upload(rows, key="def")
    assert asked(mock, "store_file") == 1


def test_an_invalid_file_is_refused_in_the_vendors_words(provider: TogetherProvider, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"messages": [{"role": "user", "content": "Hi"}]}\n')
    for _time in range(2):
        with pytest.raises(InvalidRequest, match="At least one message with role `assistant`") as problem:
            provider.upload(file, key="bad")
        assert problem.value.code == "INVALID_FORMAT"


def test_metrics_carry_losses_and_evaluations_are_apart(provider: TogetherProvider, files: Files) -> None:
    both = Files(training=files.training, validation=files.training)
    made = provider.create(make_spec(epochs=2, learning_rate=1e-4), MODEL, both, tag=TAG)
    finished(provider, made.remote_id)
    metrics = [event for event in provider.events(made.remote_id, "") if event.kind == "metric"]
    trained = [event for event in metrics if event.train_loss is not None]
    evaluated = [event for event in metrics if event.valid_loss is not None]
    assert [event.step for event in trained] == list(range(1, len(trained) + 1))
    assert all(event.learning_rate is not None and event.epoch is not None for event in trained)
    assert len(evaluated) == 2
    assert not {event.cursor for event in trained} & {event.cursor for event in evaluated}


class _Told:
    """An event as the SDK hands it out."""

    def __init__(self, kind: str, at: str) -> None:
        self.type, self.created_at, self.message, self.step, self.total_steps = kind, at, kind, 0, 0


def test_what_comes_late_is_read_once_whatever_its_time() -> None:
    began = _Told("TRAINING_START", "2026-11-22T10:00:00Z")
    first = read_events([began], [{"train/global_step": 2, "train/loss": 1.0, "timestamp": 1795341700.0}], "")
    late = {"train/global_step": 3, "train/loss": 0.9}
    rows = [{"train/global_step": 2, "train/loss": 1.0, "timestamp": 1795341700.0}, late]
    [new] = read_events([began], rows, first[-1].cursor)
    assert new.step == 3
    assert new.at == first[0].at


def test_weights_are_real_and_an_unfinished_job_has_none(
    provider: TogetherProvider, files: Files, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file

    made = provider.create(make_spec(lora_rank=4), MODEL, files, tag=TAG)
    with pytest.raises(JobFailed) as problem:
        provider.fetch(made.remote_id, tmp_path / "out")
    assert problem.value.hint
    finished(provider, made.remote_id)
    result = provider.fetch(made.remote_id, tmp_path / "out")
    assert result.path
    config = json.loads((result.path / "adapter_config.json").read_bytes())
    weights = load_file(result.path / "adapter_model.safetensors")
    assert {array.shape[0] for name, array in weights.items() if "lora_A" in name} == {config["r"]} == {4}
    assert list((provider.home / "downloads").iterdir()) == []


def test_a_job_that_does_not_exist_cannot_be_deleted(provider: TogetherProvider) -> None:
    with pytest.raises(NotFound) as problem:
        provider.delete(Artifact(kind="job", name="ft-nobody"))
    assert problem.value.hint


class _Storing(TogetherMock):
    """Together with its weights in a storage, which will not have Together's key."""

    @operation("GET", "/v1/finetune/download")
    def download(self, call: Call) -> Answer:
        return Answer({}, 302, {"location": f"{call.base_url}/storage?ft_id={call.query['ft_id']}"})

    @operation("GET", "/storage")
    def stored(self, call: Call) -> Answer:
        return TogetherMock.download(self, call)

    def authorised(self, request: Any) -> bool:
        return super().authorised(request) is not (request.url.path == "/storage")


def test_weights_are_fetched_from_the_storage_that_the_vendor_leads_to(tmp_path: Path, rows: Path) -> None:
    mock = _Storing(tmp_path / "mock", speed=1000.0)
    with LoopbackServer(mock.app()) as server:
        provider = TogetherProvider(tmp_path, Connection(base_url=server.url, api_key=SecretStr(KEY), account="mock"))
        made = provider.create(make_spec(), MODEL, Files(training=provider.upload(rows, key="k")), tag=TAG)
        finished(provider, made.remote_id)
        mock.faults.add("stored=cut-midway")
        assert provider.fetch(made.remote_id, tmp_path / "out").path == tmp_path / "out"
        provider.close()
    first, second = [seen.call.range for seen in mock.seen if seen.operation == "stored"]
    assert first == "bytes=0-"
    assert second != first


def test_a_base_url_may_end_in_v1_as_older_sdks_wanted(url: str, tmp_path: Path) -> None:
    provider = TogetherProvider(tmp_path, Connection(base_url=f"{url}/v1", api_key=SecretStr(KEY), account="mock"))
    assert MODEL in provider.list_models()
    provider.close()
