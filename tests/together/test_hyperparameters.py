"""What Together is asked for, in its words; and what its models do not take is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftbridge.errors import SpecError
from ftbridge.model import Method
from ftbridge.provider import Files
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.mock.vendor import TogetherMock
from hosted_helpers import finished, sent
from spec_check import check_seen
from together_helpers import MODEL, make_spec

TAG = "ftb_0123456789ab"


def test_hyperparameters_go_by_the_vendors_names(provider: TogetherProvider, mock: TogetherMock, files: Files) -> None:
    spec = make_spec(
        "Support bot, second try",
        epochs=3,
        batch_size=4,
        learning_rate=2e-4,
        warmup_ratio=0.1,
        weight_decay=0.01,
        seed=7,
        lora_rank=16,
        lora_alpha=24.0,
        lora_dropout=0.05,
        max_seq_length=2048,
    )
    provider.create(spec, MODEL, files, tag=TAG)
    assert sent(mock, "create_job") == [
        {
            "model": MODEL,
            "training_file": files.training,
            "suffix": f"Support-bot-second-try-{TAG}",
            "n_epochs": 3,
            "batch_size": 4,
            "learning_rate": 2e-4,
            "warmup_ratio": 0.1,
            "weight_decay": 0.01,
            "random_seed": 7,
            "max_seq_length": 2048,
            "training_method": {"method": "sft", "train_on_inputs": "auto"},
            "training_type": {
                "type": "Lora",
                "lora_r": 16,
                "lora_alpha": 24,
                "lora_dropout": 0.05,
                "lora_trainable_modules": "all-linear",
            },
        }
    ]


def test_what_is_not_said_is_left_to_the_vendor_but_for_the_kind_of_training(
    provider: TogetherProvider, mock: TogetherMock, files: Files
) -> None:
    provider.create(make_spec(method=Method.DPO, beta=0.2), MODEL, files, tag=TAG)
    [body] = sent(mock, "create_job")
    assert body.keys() == {"model", "training_file", "suffix", "training_method", "training_type"}
    assert body["training_method"] == {"method": "dpo", "dpo_beta": 0.2}
    assert (body["training_type"]["lora_r"], body["training_type"]["lora_alpha"]) == (8, 16)


BEYOND: dict[str, tuple[Any, str]] = {
    "epochs": (101, "100"),
    "learning_rate": (0.5, "0.01"),
    "lora_rank": (65, "64"),
    "batch_size": (65, "64"),
    "max_seq_length": (50_000, "40960"),
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_value_beyond_the_models_limits_is_refused_with_the_nearest(
    provider: TogetherProvider, mock: TogetherMock, name: str
) -> None:
    value, nearest = BEYOND[name]
    with pytest.raises(SpecError, match=name) as problem:
        provider.check_limits(make_spec(**{name: value}), MODEL)
    assert nearest in problem.value.hint
    assert {seen.operation for seen in mock.seen} == {"model_limits"}


@pytest.mark.parametrize("values", [{"beta": 0.1}, {"lora_alpha": 12.7}, {"tuning": "full", "lora_rank": 8}], ids=str)
def test_a_value_for_no_model_is_refused_before_anything_is_sent(
    provider: TogetherProvider, mock: TogetherMock, values: dict[str, Any]
) -> None:
    with pytest.raises(SpecError) as problem:
        provider.check_spec(make_spec(**values))
    assert problem.value.hint
    assert mock.seen == []


def test_a_job_goes_on_from_a_checkpoint_in_the_way_that_it_was_begun(
    provider: TogetherProvider, mock: TogetherMock, files: Files
) -> None:
    first = provider.create(make_spec(lora_rank=32), MODEL, files, tag=TAG)
    finished(provider, first.remote_id)
    [checkpoint] = provider.checkpoints(first.remote_id)
    provider.create(make_spec(), checkpoint.model, files, tag="ftb_0123456789ac")
    body = sent(mock, "create_job")[-1]
    assert body["from_checkpoint"] == f"{first.remote_id}:{checkpoint.step}"
    assert "model" not in body
    assert body["training_type"]["lora_r"] == 32


def test_a_job_that_trained_all_weights_is_gone_on_with_so_and_gives_them_all(
    provider: TogetherProvider, sdk: Any, mock: TogetherMock, files: Files, tmp_path: Path
) -> None:
    whole = sdk.fine_tuning.create(training_file=files.training, model=MODEL, lora=False)
    finished(provider, whole.id)
    provider.create(make_spec(), whole.id, files, tag=TAG)
    assert sent(mock, "create_job")[-1]["training_type"] == {"type": "Full"}
    with pytest.raises(SpecError, match="all weights"):
        provider.check_limits(make_spec(lora_rank=8), whole.id)
    result = provider.fetch(whole.id, tmp_path / "out")
    assert result.path
    assert (result.path / "model.safetensors").is_file()


def test_all_weights_are_trained_where_that_is_asked_for(
    provider: TogetherProvider, mock: TogetherMock, files: Files, tmp_path: Path
) -> None:
    spec = make_spec(tuning="full", learning_rate=2e-5)
    provider.check_limits(spec, MODEL)
    made = provider.create(spec, MODEL, files, tag=TAG)
    assert sent(mock, "create_job")[-1]["training_type"] == {"type": "Full"}
    finished(provider, made.remote_id)
    result = provider.fetch(made.remote_id, tmp_path / "out")
    assert result.path
    assert (result.path / "model.safetensors").is_file()
    provider.create(make_spec(tuning="lora"), made.remote_id, files, tag="ftb_0123456789ac")
    assert sent(mock, "create_job")[-1]["training_type"]["type"] == "Lora"
    check_seen("together", mock.seen, prefix="/v1")


def test_a_model_of_which_only_an_adapter_is_trained_says_so_before_anything_is_sent(
    provider: TogetherProvider, mock: TogetherMock
) -> None:
    with pytest.raises(SpecError, match="does not train all weights of zai-org/GLM") as problem:
        provider.check_limits(make_spec(tuning="full"), "zai-org/GLM-4.6")
    assert "--tuning lora" in problem.value.hint
    assert {seen.operation for seen in mock.seen} == {"model_limits"}


def test_an_adapter_of_another_kind_is_refused_with_those_there_are(provider: TogetherProvider) -> None:
    with pytest.raises(SpecError, match="together has no tuning = dora") as problem:
        provider.check_spec(make_spec(tuning="dora"))
    assert problem.value.hint == "It takes: lora, full."
