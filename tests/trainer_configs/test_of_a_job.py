"""A config of a job: its files, its settings and its model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ftbridge import Bridge
from ftbridge.errors import InputError, SpecError
from ftbridge.ledger import Intent, Prepared
from ftbridge.model import Event, Hyperparameters, Spec, Status, now


@pytest.fixture
def job(open_bridge: Callable[..., Bridge], data: Path) -> tuple[Bridge, str]:
    """A job at a mocked vendor."""
    bridge = open_bridge()
    made = bridge.submit(data, to="openai:gpt-4.1-mini-2025-04-14", validation=data, epochs=2, name="tickets")
    return bridge, made.id


def test_a_job_brings_its_files_and_settings(job: tuple[Bridge, str], tmp_path: Path) -> None:
    bridge, name = job
    made = bridge.export_config(name, "axolotl", tmp_path / "out", model="Qwen/Qwen3-8B", batch_size=4)
    found = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text("utf-8"))
    assert (found["num_epochs"], found["micro_batch_size"], made.rows) == (2, 4, 12)
    assert found["test_datasets"][0]["path"] == "validation.jsonl"
    assert not {"epochs", "batch_size"} & set(made.chosen)


def test_a_job_whose_file_is_gone_says_what_to_give(job: tuple[Bridge, str], data: Path, tmp_path: Path) -> None:
    bridge, name = job
    data.unlink()
    with pytest.raises(InputError, match="is gone") as caught:
        bridge.export_config(bridge.job(name), "axolotl", tmp_path / "out", model="Qwen/Qwen3-8B")
    assert "Give a dataset" in caught.value.hint


def test_a_vendors_job_does_not_name_the_model(job: tuple[Bridge, str], tmp_path: Path) -> None:
    bridge, name = job
    with pytest.raises(SpecError, match="names of its own"):
        bridge.export_config(name, "trl", tmp_path / "out")


def test_a_job_of_this_machine_brings_its_model_and_all_that_it_has_trained_with(
    bridge: Bridge, data: Path, tmp_path: Path
) -> None:
    spec = Spec(target="local:Qwen/Qwen3-8B", data=data, hyperparameters=Hyperparameters(epochs=2))
    intent = Intent(
        id="ftb_1",
        target=spec.target,
        spec=spec,
        prepared=Prepared(training="t"),
        request_hash="t",
        created_at=now(),
    )
    used = {"epochs": 2, "batch_size": 6, "learning_rate": 5e-4, "lora_rank": 4, "lora_alpha": 8.0, "seed": 3}
    settings = Event(at=now(), kind="message", code="settings", hyperparameters=used)
    bridge.ledger.change(bridge.ledger.add(intent), [settings], status=Status.SUCCEEDED, remote_id="1")
    made = bridge.export_config("ftb_1", "trl", tmp_path / "out", lora_rank=8)
    assert made.model == "Qwen/Qwen3-8B"
    assert made.settings.items() >= {**used, "lora_rank": 8}.items()
    assert not set(used) & set(made.chosen)
