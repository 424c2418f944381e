"""What OpenAI's adapter sends, and what it makes of every kind of answer."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from ftbridge.errors import TrainingNotAvailable
from ftbridge.model import Hyperparameters, Method, Spec, Status
from ftbridge.provider import Artifact, Files
from ftbridge_providers.azure.adapter import STATUS as AZURE
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.mock.vendor import OpenAIMock
from ftbridge_providers.openai_api.gpt.results import read_result_file
from ftbridge_providers.openai_api.reading import STATUS as OPENAI
from ftbridge_providers.openai_api.reading import ShortJob, read_job
from hosted_helpers import asked, finished, sent
from spec_check import check_operations, check_seen

MODEL = "gpt-4.1-mini-2025-04-14"
TAG = "ftb_0123456789ab"


def made(mock: OpenAIMock) -> int:
    """How many jobs the vendor has, which is how many are paid."""
    return len(list((mock.store.folder / "jobs").glob("*.json")))


@pytest.mark.parametrize("statuses", [OPENAI, AZURE])
@pytest.mark.parametrize(
    ("status", "tokens"),
    [("running", None), ("paused", None), ("new_word", None), ("cancelled", 7), ("failed", 7), ("succeeded", 7)],
)
def test_tokens_are_billed_once_the_job_is_over(statuses: dict[str, Status], status: str, tokens: int | None) -> None:
    assert read_job(ShortJob("ftjob-1", status, trained_tokens=7), statuses).trained_tokens == tokens


def test_a_whole_life_agrees_with_the_vendors_document(
    provider: OpenAIProvider, mock: OpenAIMock, spec: Spec, tmp_path: Path
) -> None:
    file = provider.upload(spec.data, key="k1")
    job = provider.create(spec, MODEL, Files(training=file, validation=file), tag=TAG)
    paused = provider.create(spec, MODEL, Files(training=file), tag="ftb_paused")
    time.sleep(0.1)
    provider.pause(paused.remote_id)
    provider.resume(paused.remote_id)
    provider.cancel(paused.remote_id)
    done = finished(provider, job.remote_id)
    assert done.status is Status.SUCCEEDED
    assert done.trained_tokens
    assert list(provider.events(job.remote_id, ""))
    assert [checkpoint.step for checkpoint in provider.checkpoints(job.remote_id)] == [3, 6]
    assert len(list(provider.poll([job.remote_id, paused.remote_id, "x", "y"]))) == 2
    result = provider.fetch(job.remote_id, tmp_path / "out")
    assert result.model
    [csv] = (tmp_path / "out").glob("*.csv")
    assert csv.read_text("utf-8").startswith("step,train_loss")
    from ftbridge.dataset.canonical.example import Chat, User

    assert provider.chat(result.model, Chat(messages=[User(content="q3")])).text == "a3"
    assert result.model in provider.list_models()
    provider.delete(Artifact(kind="model", name=result.model))
    assert result.model not in provider.list_models()
    check_operations("openai", "adapter", mock.seen, prefix="/v1")


def test_what_is_asked_for_is_what_is_sent(provider: OpenAIProvider, mock: OpenAIMock, spec: Spec) -> None:
    file = provider.upload(spec.data, key="k1")
    provider.create(spec, MODEL, Files(training=file), tag=TAG)
    [body] = sent(mock, "create_job")
    assert body == {
        "model": MODEL,
        "training_file": file,
        "method": {
            "type": "supervised",
            "supervised": {
                "hyperparameters": {"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 0.5},
            },
        },
        "metadata": {"ftbridge": TAG},
        "suffix": f"My-tickets-{TAG}",
        "seed": 7,
    }


def test_preferences_are_sent_as_dpo(provider: OpenAIProvider, mock: OpenAIMock, spec: Spec) -> None:
    file = provider.upload(spec.data, key="k1")
    dpo = spec.model_copy(update={"method": Method.DPO, "hyperparameters": Hyperparameters(beta=0.2)})
    provider.create(dpo, MODEL, Files(training=file), tag=TAG)
    [body] = sent(mock, "create_job")
    assert body["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}
    assert "hyperparameters" not in body


def test_a_file_the_vendor_has_is_not_sent_again(provider: OpenAIProvider, mock: OpenAIMock, data: Path) -> None:
    first = provider.upload(data, key="k1")
    assert provider.upload(data, key="k1") == first
    assert provider.upload(data, key="k2") != first
    assert asked(mock, "upload_file") == 2


def test_bad_data_is_the_jobs_failure_in_the_vendors_words(
    provider: OpenAIProvider, spec: Spec, tmp_path: Path
) -> None:
    short = tmp_path / "short.jsonl"
    short.write_bytes(b"".join(spec.data.read_bytes().splitlines(keepends=True)[:3]))
    job = provider.create(spec, MODEL, Files(training=provider.upload(short, key="k3")), tag=TAG)
    failed = finished(provider, job.remote_id)
    assert failed.status is Status.FAILED
    assert failed.error == "Training file has 3 example(s), but must have at least 10 examples"


def test_an_organisation_that_is_turned_away_is_told_where_else_to_go(
    provider: OpenAIProvider, mock: OpenAIMock, spec: Spec
) -> None:
    mock.winding_down = True
    with pytest.raises(TrainingNotAvailable, match="winding down") as problem:
        provider.create(spec, MODEL, Files(training=provider.upload(spec.data, key="k1")), tag=TAG)
    assert (problem.value.status, problem.value.code) == (403, "training_not_available")
    assert "--to local" in problem.value.hint
    assert made(mock) == 0
    check_seen("openai", mock.seen, prefix="/v1")


def test_a_job_without_our_tag_is_never_adopted(provider: OpenAIProvider, spec: Spec) -> None:
    file = provider.upload(spec.data, key="k1")
    provider.create(spec, MODEL, Files(training=file), tag="ftb_other")
    assert provider.find(TAG) == []


def test_many_jobs_are_polled_by_pages(provider: OpenAIProvider, mock: OpenAIMock, spec: Spec) -> None:
    file = provider.upload(spec.data, key="k1")
    ids = [provider.create(spec, MODEL, Files(training=file), tag=f"ftb_{n}").remote_id for n in range(120)]
    before = len(mock.seen)
    assert {job.remote_id for job in provider.poll(ids)} == set(ids)
    assert [seen.operation for seen in mock.seen[before:]] == ["list_jobs", "list_jobs"]


@pytest.mark.parametrize("encoded", [False, True])
def test_a_result_file_is_read_plain_or_in_base64(encoded: bool) -> None:
    csv = b"step,train_loss\n1,2.5\n"
    assert read_result_file(base64.b64encode(csv) if encoded else csv) == csv
