"""Every way of training, on the tiny base: what it starts from, what it leaves behind, and that it goes on exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import transformers
from safetensors.torch import load_file

from ftbridge.dataset.canonical.example import Chat
from ftbridge.model import Status
from ftbridge.provider import RemoteJob
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.tokenizing.encoding import Pair
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from ftbridge_local.trainer import rows
from local.lab import Lab

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 6}


@pytest.fixture(scope="module")
def preferences(lab: Lab) -> Path:
    """The chats, with an answer of another colour as the worse one."""
    file = lab.data.training.with_name("preferences.jsonl")
    chats = list(map(json.loads, lab.data.training.read_text().splitlines()))
    with file.open("w", encoding="utf-8") as out:
        for chat, other in zip(chats, chats[1:] + chats[:1], strict=True):
            (*asked, better), worse = chat["messages"], other["messages"][-1]
            out.write(
                json.dumps(
                    {"input": {"messages": asked}, "preferred_output": [better], "non_preferred_output": [worse]}
                )
                + "\n"
            )
    return file


@pytest.fixture(scope="module", autouse=True)
def unchanged_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def messages(lab: Lab, tag: str) -> list[str]:
    return [event.message or "" for event in lab.events(tag) if event.kind == "message"]


def test_preferences_are_learned_from_where_the_base_stands(lab: Lab, preferences: Path) -> None:
    lab.train("dpo", training=preferences, method="dpo", beta=0.5, learning_rate=5e-3, epochs=5)
    steps = [event for event in lab.events("dpo") if event.kind == "metric"]
    assert steps[0].valid_loss == pytest.approx(0.6931, abs=1e-4), "nothing is preferred yet"
    assert steps[-1].valid_loss is not None
    assert steps[-1].valid_loss < 0.5
    assert steps[-1].token_accuracy is not None
    assert steps[-1].token_accuracy > 0.7
    lab.train("dpo-stopped", training=preferences, method="dpo", beta=0.5, learning_rate=5e-3, epochs=5, stop_once=True)
    assert lab.losses("dpo-stopped") == lab.losses("dpo")


def test_all_weights_are_trained_and_what_is_left_is_a_model_of_its_own(lab: Lab) -> None:
    made = lab.train("full", tuning="full", lora_dropout=None, **SHORT)
    losses = [event.valid_loss for event in lab.events("full") if event.valid_loss is not None]
    assert losses[-1] < losses[0] - 0.5
    loaded = transformers.AutoModelForCausalLM.from_pretrained(made.result)
    base = load_file(tiny.complete_folder(lab.provider.home) / "model.safetensors")
    assert not torch.equal(loaded.model.embed_tokens.weight, base["model.embed_tokens.weight"])
    chat = msgspec.convert(json.loads(lab.data.validation.read_text().splitlines()[0]), Chat)
    assert lab.provider.losses(str(made.result), [chat])[0].loss < lab.provider.losses("tiny", [chat])[0].loss
    lab.train("full-stopped", tuning="full", lora_dropout=None, stop_once=True, **SHORT)
    assert lab.losses("full-stopped") == lab.losses("full")


@pytest.mark.parametrize("kind", ["rslora", "dora"])
def test_adapters_are_of_the_kind_that_was_asked_for(lab: Lab, kind: str) -> None:
    made = lab.train(kind, tuning=kind, epochs=1, lora_alpha=8)
    config = json.loads((made.result / "adapter_config.json").read_text())
    assert (config["use_rslora"], config["use_dora"]) == (kind == "rslora", kind == "dora")
    losses = [event.valid_loss for event in lab.events(kind) if event.valid_loss is not None]
    assert losses[-1] < losses[0]


def test_a_job_goes_on_from_an_earlier_one(lab: Lab, finished: RemoteJob) -> None:
    assert finished.result is not None
    lab.folder("finished").path.with_name("ftb_0123456789ab").symlink_to(lab.folder("finished").path)
    made = lab.train("further", model="ftb_0123456789ab", lora_dropout=None, **SHORT)
    before = [event.valid_loss for event in lab.events("finished") if event.valid_loss is not None]
    after = [event.valid_loss for event in lab.events("further") if event.valid_loss is not None]
    assert after[0] == pytest.approx(before[-1], rel=1e-5)
    assert after[-1] < after[0]
    config = json.loads((made.result / "adapter_config.json").read_text())
    assert Path(config["base_model_name_or_path"]).name == tiny.FOLDER


def test_training_stops_early_and_gives_what_was_best(lab: Lab) -> None:
    made = lab.train("early-stop", epochs=50, learning_rate=0.3, eval_interval=1, early_stopping=2, seed=5)
    looks = {event.step: event.valid_loss for event in lab.events("early-stop") if event.valid_loss and event.step}
    best = min(looks, key=lambda step: looks[step] or 0.0)
    assert list(looks) == list(range(1, best + 3))
    assert f"stopped early: the validation loss was lowest at step {best}" in messages(lab, "early-stop")
    assert f"the result is that of step {best}, where the validation loss was lowest" in messages(lab, "early-stop")
    kept = made.checkpoints / f"step-{best:06}" / "adapter_model.safetensors"
    assert (made.result / "adapter_model.safetensors").read_bytes() == kept.read_bytes()
    assert not (made.result / "state.pt").exists()


def test_texts_are_trained_as_a_whole(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": f"The {word} is read."}) + "\n" for word in ["book", "page", "line"]))
    lab.train("texts", training=file, epochs=4)
    assert lab.poll("texts").status is Status.SUCCEEDED
    losses = [event.valid_loss for event in lab.events("texts") if event.valid_loss is not None]
    assert losses[-1] < losses[0]


def test_a_base_in_halves_learns_as_well_and_leaves_an_adapter_in_full(lab: Lab) -> None:
    lab.train("exact", epochs=1)
    made = lab.train("halves", precision="bfloat16", epochs=1)
    weights = load_file(made.result / "adapter_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    exact, halves = (lab.losses(tag)[6][1] for tag in ("exact", "halves"))
    assert halves == pytest.approx(exact, rel=0.05)


def test_every_step_tells_what_it_took(lab: Lab, finished: RemoteJob) -> None:
    steps = [event for event in lab.events("finished") if event.kind == "metric" and event.step]
    tokens = [event.tokens or 0 for event in steps]
    assert tokens == sorted(tokens)
    for event in steps:
        assert event.train_loss
        assert event.token_accuracy is not None
        assert 0 <= event.token_accuracy <= 1
        assert event.learning_rate
        assert event.grad_norm
        assert event.tokens_per_second
        assert event.peak_memory
        assert event.peak_memory > 10**8
    assert [event.step for event in steps if event.valid_loss] == [6, 12, 18, 24]  # after each epoch


def test_rows_are_tokenized_once(lab: Lab, preferences: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer(tiny.tokenizer_folder(lab.provider.home))
    cache = tmp_path / "local" / "rows"
    first = [rows.read(file, tokenizer, 1024, tmp_path, pytest.fail) for file in (lab.data.training, preferences)]
    kept = {file: file.stat().st_mtime_ns for file in cache.iterdir()}
    assert len(kept) == 2
    again = [rows.read(file, tokenizer, 1024, tmp_path, pytest.fail) for file in (lab.data.training, preferences)]
    assert again == first
    assert isinstance(again[1][0][0], Pair)
    assert {file: file.stat().st_mtime_ns for file in cache.iterdir()} == kept


def test_a_checkpoint_that_was_being_written_when_the_worker_died_is_passed_over(lab: Lab) -> None:
    made = lab.folder("torn")
    lab.train("whole", epochs=2)
    made.path.mkdir(parents=True)
    torn = made.checkpoints / ".new-torn"
    torn.mkdir(parents=True)
    (torn / "adapter_model.safetensors").write_bytes(b"\x10\x00")
    lab.train("torn", epochs=2, stop_once=True)
    assert lab.losses("torn") == lab.losses("whole")
    assert not torn.exists()
