"""What Azure's adapter does otherwise than OpenAI's."""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path

import pytest
from pydantic import SecretStr

from azure_helpers import MODEL, TAG, Listening, tuned
from ftbridge.dataset.canonical.example import Assistant, Chat, ImagePart, ImageUrl, User
from ftbridge.dataset.findings import Diagnostics
from ftbridge.errors import ConfigError, InvalidRequest, SpecError, Unsupported
from ftbridge.model import Hyperparameters, Method, Spec, Status
from ftbridge.provider import Artifact, Files
from ftbridge.provider.connection import Connection
from ftbridge_providers.azure.adapter import AzureProvider
from ftbridge_providers.azure.format import AzureFormat
from ftbridge_providers.azure.mock.vendor import AzureMock
from hosted_helpers import asked, finished, sent

QUESTION = Chat(messages=[User(content="q3")])


def test_what_is_asked_for_is_what_is_sent_with_the_training_type_of_the_target(
    provider: AzureProvider, mock: AzureMock, spec: Spec
) -> None:
    file = provider.upload(spec.data, key="k1")
    provider.create(spec, f"{MODEL}@GlobalStandard", Files(training=file), tag=TAG)
    assert sent(mock, "create_job") == [
        {
            "model": MODEL,
            "training_file": file,
            "method": {
                "type": "supervised",
                "supervised": {"hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 0.5}},
            },
            "metadata": {"ftbridge": TAG},
            "suffix": f"My-tickets-of-the-whole-{TAG}",
            "seed": 7,
            "trainingType": "GlobalStandard",
        }
    ]
    assert len(f"My-tickets-of-the-whole-{TAG}") <= 40


def test_without_a_training_type_none_is_sent(provider: AzureProvider, mock: AzureMock, spec: Spec) -> None:
    provider.create(spec, MODEL, Files(training=provider.upload(spec.data, key="k1")), tag=TAG)
    assert "trainingType" not in sent(mock, "create_job")[0]


def test_the_key_goes_into_azures_own_header_and_never_to_the_management_api(
    provider: AzureProvider, mock: AzureMock, spec: Spec
) -> None:
    model = tuned(provider, spec)
    provider.deploy(model)
    headers = mock.__dict__["headers"]
    assert all(path.startswith(("/openai/v1/", "/subscriptions/")) for path, _headers in headers)
    assert all(message["api-key"] == "canary" for path, message in headers if path.startswith("/openai/v1/"))
    assert all("canary" not in str(message) for path, message in headers if path.startswith("/subscriptions/"))


def test_files_are_sent_once_with_a_byte_order_mark_and_used_when_they_were_looked_at(
    provider: AzureProvider, mock: AzureMock, data: Path
) -> None:
    file = provider.upload(data, key="k1")
    assert mock.content(file) == BOM_UTF8 + data.read_bytes()
    assert provider.upload(data, key="k1") == file
    assert asked(mock, "upload_file") == 1
    answers = [seen.answer.body["status"] for seen in mock.seen if seen.operation == "get_file"]
    assert answers[-1] == "processed"


def test_a_file_that_azure_finds_bad_is_refused_before_a_job_is_made(provider: AzureProvider, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("no JSON\n", "utf-8")
    with pytest.raises(InvalidRequest, match="every line is a JSON dictionary") as problem:
        provider.upload(bad, key="k1")
    assert problem.value.hint


def test_statuses_of_its_own_have_their_place(provider: AzureProvider, mock: Listening, spec: Spec) -> None:
    file = provider.upload(spec.data, key="k1")
    mock.speed = 1.0
    job = provider.create(spec, MODEL, Files(training=file), tag=TAG)
    assert (job.raw_status, job.status) == ("validating_files", Status.VALIDATING)
    mock.ahead = 25.0
    [queued] = provider.poll([job.remote_id])
    assert (queued.raw_status, queued.status) == ("pending", Status.QUEUED)


def test_a_running_job_is_paused_and_goes_on(provider: AzureProvider, mock: Listening, spec: Spec) -> None:
    file = provider.upload(spec.data, key="k1")
    mock.speed = 1.0
    job = provider.create(spec, MODEL, Files(training=file), tag=TAG)
    with pytest.raises(InvalidRequest, match="has made a step"):
        provider.pause(job.remote_id)
    mock.ahead = 60.0
    provider.pause(job.remote_id)
    [at_once] = provider.poll([job.remote_id])
    assert (at_once.raw_status, at_once.status) == ("pausing", Status.RUNNING)
    mock.ahead = 90.0
    [later] = provider.poll([job.remote_id])
    assert (later.raw_status, later.status) == ("paused", Status.PAUSED)
    provider.resume(job.remote_id)
    mock.ahead = 400.0
    assert finished(provider, job.remote_id).status is Status.SUCCEEDED
    assert sent(mock, "pause_job") == [{}, {}]


def test_a_cancel_has_a_body(provider: AzureProvider, mock: AzureMock, spec: Spec) -> None:
    job = provider.create(spec, MODEL, Files(training=provider.upload(spec.data, key="k1")), tag=TAG)
    provider.cancel(job.remote_id)
    assert sent(mock, "cancel_job") == [{}]
    assert finished(provider, job.remote_id).status is Status.CANCELLED


def test_jobs_are_found_though_the_listing_has_no_filter(provider: AzureProvider, mock: AzureMock, spec: Spec) -> None:
    file = provider.upload(spec.data, key="k1")
    for tag in ("ftb_other", TAG, "ftb_third"):
        provider.create(spec, MODEL, Files(training=file), tag=tag)
    assert len(provider.find(TAG)) == 1
    listings = [seen.call.query for seen in mock.seen if seen.operation == "list_jobs"]
    assert listings == [{"limit": "100"}]


def test_without_an_address_there_is_no_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT", raising=False)
    with pytest.raises(ConfigError, match="no address for azure") as problem:
        _ = AzureProvider(tmp_path).connection
    assert "AZURE_OPENAI_ENDPOINT" in problem.value.hint


@pytest.mark.parametrize("given", ["https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1"])
def test_the_address_is_the_resources_own_with_or_without_the_path(tmp_path: Path, given: str) -> None:
    provider = AzureProvider(tmp_path, Connection(base_url=given, api_key=SecretStr("k"), account="x"))
    assert str(provider.client.base_url) == "https://r.openai.azure.com/openai/v1/"
    provider.close()


def test_the_result_file_has_azures_columns(provider: AzureProvider, spec: Spec, tmp_path: Path) -> None:
    tuned(provider, spec)
    [job] = provider.find(TAG)
    provider.fetch(job.remote_id, tmp_path / "out")
    [csv] = (tmp_path / "out").glob("*.csv")
    assert csv.read_text("utf-8").startswith("step,train_loss,train_mean_token_accuracy,")


@pytest.mark.parametrize(
    "name", ["learning_rate", "warmup_ratio", "weight_decay", "lora_rank", "lora_alpha", "lora_dropout"]
)
def test_hyperparameters_it_does_not_have_are_refused_before_anything_is_uploaded(
    provider: AzureProvider, mock: AzureMock, spec: Spec, name: str
) -> None:
    asked = spec.model_copy(
        update={"hyperparameters": Hyperparameters.model_validate({name: 0.5 if "_r" not in name else 1})}
    )
    with pytest.raises(SpecError, match=name) as problem:
        provider.check_spec(asked)
    assert "--allow-ignored" in problem.value.hint
    assert mock.seen == []


def test_models_are_not_deleted_here(provider: AzureProvider) -> None:
    with pytest.raises(Unsupported):
        provider.delete(Artifact(kind="model", name="any"))


@pytest.mark.parametrize("model", ["gpt-4.1-2025-04-14", "gpt-4.1-2025-04-14.ft-b044a9d3cf9c4228b5d393567f693b83"])
def test_images_are_trained_on_two_models_and_up_to_64_in_an_example(model: str) -> None:
    def message(model: str, count: int) -> list[str]:
        diagnostics = Diagnostics()
        image = ImagePart(ImageUrl("https://example.org/a.png"))
        AzureFormat("t", model, Method.SFT).convert(Chat([User([image] * count), Assistant("A")]), diagnostics)
        return [f"{found.code}: {found.message}" for found in diagnostics.findings]

    assert message(model, 64) == []
    assert message(model, 65) == ["too_many_images: Azure takes at most 64 images in an example"]
    [refused] = message(MODEL, 1)
    assert refused.startswith("model_without_images: Azure")
