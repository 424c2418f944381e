"""What Nebius' adapter does otherwise than OpenAI's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import (
    BadAnswer,
    InvalidRequest,
    JobFailed,
    NotFound,
    ProviderError,
    ServerTrouble,
    SpecError,
    Unsupported,
)
from ftbridge.model import Hyperparameters, Spec, Status
from ftbridge.provider import Files, HostingTerms
from ftbridge_providers.nebius.adapter import NebiusProvider
from ftbridge_providers.nebius.mock.vendor import NebiusMock
from hosted_helpers import finished, sent

MODEL = "Qwen/Qwen3-8B"
TAG = "ftb_0123456789ab"
QUESTION = Chat(messages=[User(content="q3")])


def trained(provider: NebiusProvider, spec: Spec) -> str:
    """The id of a job that has succeeded, which is its model's as well."""
    job = provider.create(spec, MODEL, Files(training=provider.upload(spec.data, key="k1")), tag=TAG)
    done = finished(provider, job.remote_id)
    assert done.result is not None
    assert done.result.model == job.remote_id
    return job.remote_id


def asked(spec: Spec, **hyperparameters: Any) -> Spec:
    return spec.model_copy(update={"hyperparameters": Hyperparameters(**hyperparameters)})


def test_what_is_asked_for_is_what_is_sent_in_nebius_words(
    provider: NebiusProvider, mock: NebiusMock, spec: Spec
) -> None:
    file = provider.upload(spec.data, key="k1")
    wanted = asked(spec, epochs=2, learning_rate=1e-4, lora_rank=16, lora_alpha=32, max_seq_length=16384, seed=7)
    provider.create(wanted, MODEL, Files(training=file, validation=file), tag=TAG)
    assert sent(mock, "create_job") == [
        {
            "model": MODEL,
            "training_file": file,
            "validation_file": file,
            "suffix": f"My-tickets-{TAG}",
            "seed": 7,
            "hyperparameters": {
                "lora": True,
                "n_epochs": 2,
                "learning_rate": 1e-4,
                "lora_r": 16,
                "lora_alpha": 32,
                "context_length": 16384,
            },
        }
    ]


@pytest.mark.parametrize(("tuning", "lora"), [(None, True), ("lora", True), ("full", False)])
def test_whether_an_adapter_is_trained_is_always_said(
    provider: NebiusProvider, mock: NebiusMock, spec: Spec, tuning: str | None, lora: bool
) -> None:
    provider.create(asked(spec, tuning=tuning), MODEL, Files(training=provider.upload(spec.data, key="k1")), tag=TAG)
    assert sent(mock, "create_job")[0]["hyperparameters"] == {"lora": lora}


@pytest.mark.parametrize(("name", "value"), [("learning_rate_multiplier", 0.5), ("beta", 0.1)])
def test_hyperparameters_it_does_not_have_are_refused_before_anything_is_uploaded(
    provider: NebiusProvider, mock: NebiusMock, spec: Spec, name: str, value: float
) -> None:
    with pytest.raises(SpecError, match=name) as problem:
        provider.check_spec(asked(spec, **{name: value}))
    assert problem.value.hint
    assert mock.seen == []


def test_an_adapters_settings_are_refused_where_all_weights_are_trained(provider: NebiusProvider, spec: Spec) -> None:
    with pytest.raises(SpecError, match="lora_rank") as problem:
        provider.check_spec(asked(spec, tuning="full", lora_rank=8))
    assert "--tuning lora" in problem.value.hint


def test_a_refusal_names_the_field(provider: NebiusProvider, spec: Spec) -> None:
    file = provider.upload(spec.data, key="k1")
    with pytest.raises(InvalidRequest) as problem:
        provider.create(spec, "gpt-9", Files(training=file), tag=TAG)
    assert (problem.value.status, problem.value.param) == (422, "model")
    assert "value is not a valid enumeration member" in problem.value.message


def test_jobs_are_found_by_their_suffix(provider: NebiusProvider, mock: NebiusMock, spec: Spec) -> None:
    file = provider.upload(spec.data, key="k1")
    for tag in ("ftb_other", TAG):
        provider.create(spec, MODEL, Files(training=file), tag=tag)
    assert len(provider.find(TAG)) == 1
    assert [seen.call.query for seen in mock.seen if seen.operation == "list_jobs"] == [{"limit": "100"}]


def test_metrics_are_those_of_the_checkpoints(provider: NebiusProvider, spec: Spec) -> None:
    job = trained(provider, spec)
    metrics = [event for event in provider.events(job, "") if event.kind == "metric"]
    saved = provider.checkpoints(job)
    assert [event.step for event in metrics] == [checkpoint.step for checkpoint in saved] == [3, 6]
    assert all(checkpoint.model.startswith(f"{job}:ftckpt_") for checkpoint in saved)


def test_the_last_checkpoint_is_fetched_as_an_adapter(
    provider: NebiusProvider, mock: NebiusMock, spec: Spec, tmp_path: Path
) -> None:
    job = trained(provider, spec)
    mock.faults.add("get_file_content=cut-midway")
    result = provider.fetch(job, tmp_path / "out")
    assert result.path == tmp_path / "out"
    assert sorted(file.name for file in result.path.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    config = json.loads((result.path / "adapter_config.json").read_text("utf-8"))
    assert (config["r"], config["base_model_name_or_path"]) == (16, MODEL)
    last = provider.checkpoints(job)[-1].model.partition(":")[2]
    [shown] = [seen.answer.body["data"] for seen in mock.seen if seen.operation == "job_checkpoints"][-1:]
    assert tuple(shown[0]["result_files"]) == result.files
    assert shown[0]["id"] == last


@pytest.mark.parametrize("name", ["optimizer.pt", "../adapter.bin", "a/.."])
def test_a_file_that_nobody_should_load_is_not_fetched(
    provider: NebiusProvider, mock: NebiusMock, spec: Spec, tmp_path: Path, name: str
) -> None:
    job = trained(provider, spec)
    file_id = provider.find(TAG)[0].result.files[0]  # type: ignore[union-attr]  # it has succeeded
    mock.store_file(name, "fine-tune-results", b"harm", file_id)
    with pytest.raises(BadAnswer) as problem:
        provider.fetch(job, tmp_path / "out")
    assert problem.value.hint
    assert not (tmp_path / "out").exists()


def test_a_job_that_is_not_over_has_no_weights(provider: NebiusProvider, spec: Spec, tmp_path: Path) -> None:
    job = provider.create(spec, MODEL, Files(training=provider.upload(spec.data, key="k1")), tag=TAG)
    with pytest.raises(JobFailed):
        provider.fetch(job.remote_id, tmp_path / "out")


def test_an_adapter_answers_only_while_it_is_deployed(provider: NebiusProvider, mock: NebiusMock, spec: Spec) -> None:
    job = trained(provider, spec)
    with pytest.raises(NotFound) as problem:
        provider.chat(job, QUESTION)
    assert "`ftbridge deploy JOB`" in problem.value.hint
    made = provider.deploy(job, tier="fast")
    assert made.name.startswith(f"{MODEL}-LoRa:My-tickets-{TAG}-")
    [body] = sent(mock, "create_model")
    assert body == {
        "name": f"My-tickets-{TAG}",
        "base_model": f"{MODEL}-fast",
        "source": provider.checkpoints(job)[-1].model,
    }
    assert [reply.text for reply in provider.replies(job, [QUESTION, QUESTION])] == ["a3", "a3"]
    provider.undeploy(job)
    with pytest.raises(NotFound):
        provider.chat(job, QUESTION)


@pytest.mark.parametrize("fault", ["500-after", "cut-after", "html"])
def test_an_adapter_whose_deployment_was_not_answered_is_found(
    provider: NebiusProvider, mock: NebiusMock, spec: Spec, fault: str
) -> None:
    job = trained(provider, spec)
    mock.faults.add(f"create_model={fault}")
    assert provider.deploy(job).model == job
    assert len(sent(mock, "create_model")) == 1


def test_an_adapter_whose_deployment_failed_is_not_asked_for_again(
    provider: NebiusProvider, mock: NebiusMock, spec: Spec
) -> None:
    job = trained(provider, spec)
    mock.faults.add("create_model=500")
    with pytest.raises(ServerTrouble):
        provider.deploy(job)
    assert sent(mock, "create_model") == []


def test_what_is_served_is_listed_by_its_job_and_costs_no_hours(
    provider: NebiusProvider, mock: NebiusMock, spec: Spec
) -> None:
    job = trained(provider, spec)
    assert provider.deployments() == []
    made = provider.deploy(job)
    [listed] = provider.deployments()
    assert (listed.name, listed.model, listed.hourly_usd, listed.raw_status) == (made.name, job, 0.0, "")
    assert listed.began_at
    assert abs(listed.began_at.timestamp() - mock.now()) < 60
    assert provider.hosting_terms() == HostingTerms(hourly_usd=0.0, billed_by="token")


def test_every_adapter_of_the_job_is_taken_down(provider: NebiusProvider, mock: NebiusMock, spec: Spec) -> None:
    job = trained(provider, spec)
    first, last = provider.checkpoints(job)
    for name, checkpoint in (("one", first), ("two", last)):
        provider._serving._create({"name": name, "base_model": MODEL, "source": checkpoint.model})
    assert {found.model for found in provider.deployments()} == {job}
    assert len(provider.deployments()) == 2
    provider.undeploy(job)
    assert provider.deployments() == []


def test_all_weights_are_fetched_and_cannot_be_served(provider: NebiusProvider, spec: Spec, tmp_path: Path) -> None:
    job = trained(provider, asked(spec, tuning="full"))
    provider.fetch(job, tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").exists()
    with pytest.raises(ProviderError, match="LoRA"):
        provider.deploy(job)


def test_bad_data_is_the_jobs_failure(provider: NebiusProvider, spec: Spec, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": [{"role": "user", "content": "q"}]}\n', "utf-8")
    job = provider.create(spec, MODEL, Files(training=provider.upload(bad, key="k2")), tag=TAG)
    failed = finished(provider, job.remote_id)
    assert failed.status is Status.FAILED
    assert failed.error is not None
    assert "line 1" in failed.error


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_it_does_not_pause(provider: NebiusProvider, verb: str) -> None:
    with pytest.raises(Unsupported):
        getattr(provider, verb)("ftjob-1")
