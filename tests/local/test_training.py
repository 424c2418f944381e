"""The real trainer on the tiny base: what it leaves behind, and what it says on the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from peft import PeftModel

from ftbridge.model import Status
from ftbridge.provider import RemoteJob
from ftbridge_local.models.find import find
from ftbridge_local.models.load import load
from ftbridge_local.models.tiny import base as tiny
from local.lab import Lab


def test_a_job_tells_its_statuses_settings_and_losses(lab: Lab, finished: RemoteJob) -> None:
    events = lab.events("finished")
    statuses = [event.status for event in events if event.kind == "status"]
    assert statuses == [Status.VALIDATING, Status.RUNNING, Status.SUCCEEDED]
    [chosen] = [event.message for event in events if event.message and event.message.startswith("chosen")]
    assert "learning_rate = 0.003" in chosen
    assert "epochs" not in chosen
    steps = [event for event in events if event.kind == "metric"]
    assert [event.step for event in steps] == list(range(25))
    assert steps[0].valid_loss is not None
    assert steps[-1].valid_loss is not None
    assert steps[-1].valid_loss < steps[0].valid_loss / 2
    assert all(event.tokens_per_second and event.learning_rate for event in steps[1:])


def test_the_worker_says_nothing_while_all_is_well(lab: Lab, finished: RemoteJob) -> None:
    assert lab.folder("finished").log.read_text() == ""


def test_plain_peft_loads_the_adapter_and_computes_the_same_logits(lab: Lab, finished: RemoteJob) -> None:
    assert finished.result is not None
    assert finished.result.path is not None
    config = json.loads((finished.result.path / "adapter_config.json").read_text())
    assert (finished.result.path / "adapter_model.safetensors").exists()
    base = transformers.AutoModelForCausalLM.from_pretrained(config["base_model_name_or_path"])
    plain = PeftModel.from_pretrained(base, str(finished.result.path)).eval()
    ours = load(find(str(finished.result.path), lab.provider.home, weights=True))
    ids = torch.arange(10, 42).view(2, 16)
    with torch.no_grad():
        assert torch.equal(plain(ids).logits, ours(ids).logits)
        with plain.disable_adapter():
            assert not torch.equal(plain(ids).logits, ours(ids).logits)


def test_same_seed_data_and_threads_give_the_same_losses(lab: Lab, finished: RemoteJob) -> None:
    lab.train("again")
    assert lab.losses("again") == lab.losses("finished")


def test_another_seed_gives_other_losses(lab: Lab, finished: RemoteJob) -> None:
    lab.train("other-seed", seed=4, epochs=1)
    assert lab.losses("other-seed")[1] != lab.losses("finished")[1]


def test_a_copy_of_the_base_by_its_path_trains_the_same(lab: Lab, finished: RemoteJob, tmp_path: Path) -> None:
    shutil.copytree(tiny.complete_folder(lab.provider.home), tmp_path / "copied")
    lab.train("from-path", model=str(tmp_path / "copied"))
    assert lab.losses("from-path") == lab.losses("finished")
    config = json.loads((lab.folder("from-path").result / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(tmp_path / "copied")


def test_rows_of_which_nothing_fits_are_skipped_counted_and_said(lab: Lab, tmp_path: Path) -> None:
    long = {"messages": [{"role": "user", "content": "word " * 80}, {"role": "assistant", "content": "Yes."}]}
    data = tmp_path / "mixed.jsonl"
    data.write_text(json.dumps(long) + "\n" + lab.data.training.read_text() + json.dumps(long) + "\n")
    lab.train("skipping", training=data, max_seq_length=60, epochs=1)
    messages = [event.message for event in lab.events("skipping") if event.kind == "message"]
    skipped = "rows skipped, no answer within 60 tokens: 2 (line 1, 26)"
    assert skipped in messages
    assert len(lab.losses("skipping")) == 6
    assert lab.poll("skipping").status is Status.SUCCEEDED


def test_a_dataset_of_which_nothing_fits_fails_with_a_sentence(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    lab.train("nothing-fits", max_seq_length=8)
    remote = lab.poll("nothing-fits")
    assert remote.status is Status.FAILED
    assert remote.error == "training.jsonl has no row to train on"
    assert "Traceback" in capfd.readouterr().err


def test_the_rows_that_are_never_learned_are_named_after_a_pause_too(lab: Lab, tmp_path: Path) -> None:
    noise = {"messages": [{"role": "user", "content": "Hm?"}, {"role": "assistant", "content": "qZ7#vR!x0@wK%"}]}
    data = tmp_path / "planted.jsonl"
    data.write_text("\n" + lab.data.training.read_text() + json.dumps(noise) + "\n")
    lab.train("planted", training=data)
    lab.train("planted-paused", training=data, stop_once=True)
    tags = "planted", "planted-paused"
    [told], [again] = ([event.message for event in lab.events(tag) if event.code == "rows"] for tag in tags)
    assert told is not None
    assert "of 25 rows are learned: each trained token is the most probable one; " in told
    assert "not learned: line 26 (loss " in told
    assert again == told
