"""Configs of other trainers as their users write them, and those that are exported: what is read of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from command_line import Cli
from ftbridge import Bridge
from ftbridge.errors import InputError, SpecError
from ftbridge.trainer_configs.known import TRAINERS
from small_data import write_rows
from trainer_configs.rows_of_all_kinds import ONE, PAIR, TEXT, TWO, Row, export

AXOLOTL = """
base_model: NousResearch/Llama-3.2-1B
load_in_4bit: true
adapter: qlora
datasets:
  - path: tickets.jsonl
    ds_type: json
    type: chat_template
    field_messages: conversations
    message_property_mappings: {role: from, content: value}
val_set_size: 0.1
sequence_len: 2048
sample_packing: true
lora_r: 16
lora_alpha: 32
lora_dropout: 0.05
lora_target_modules: [gate_proj, down_proj]
gradient_accumulation_steps: 2
micro_batch_size: 4
num_epochs: 1
optimizer: adamw_8bit
lr_scheduler: cosine
learning_rate: 2e-4
bf16: auto
gradient_checkpointing: true
logging_steps: 1
flash_attention: true
warmup_ratio: 0.1
weight_decay: 0.0
special_tokens: {pad_token: "<|end_of_text|>"}
"""
LLAMA_FACTORY = """
model_name_or_path: meta-llama/Meta-Llama-3-8B-Instruct
stage: dpo
do_train: true
finetuning_type: lora
lora_rank: 8
lora_target: all
pref_beta: 0.1
pref_loss: sigmoid
dataset: dpo_en_demo
template: llama3
cutoff_len: 2048
max_samples: 1000
output_dir: saves/llama3-8b/lora/dpo
logging_steps: 10
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 5.0e-6
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
"""
TRL = """
model_name_or_path: Qwen/Qwen2-0.5B
dataset_name: trl-lib/Capybara
learning_rate: 2.0e-5
num_train_epochs: 1
packing: true
per_device_train_batch_size: 2
gradient_accumulation_steps: 8
use_peft: true
lora_r: 32
lora_alpha: 16
eval_strategy: steps
eval_steps: 100
hub_token: hf_abcdefghijklmnop
"""
UNSLOTH = """
model: unsloth/Qwen2.5-0.5B
data: {local_dataset: [tickets.jsonl], format_type: auto}
training: {training_type: lora, max_seq_length: 2048, num_epochs: 3, learning_rate: 0.0002, batch_size: 2,
  gradient_accumulation_steps: 4, warmup_steps: 3, max_steps: 60, random_seed: 3407, train_on_completions: true}
lora: {lora_r: 64, lora_alpha: 16, lora_dropout: 0.0, target_modules: "q_proj,v_proj"}
logging: {enable_wandb: false, hf_token: hf_abcdefghijklmnop}
"""
FOUND: list[tuple[str, str, Row, Row, set[str]]] = [
    (
        "axolotl",
        AXOLOTL,
        {"target": "local:NousResearch/Llama-3.2-1B", "data": "tickets.jsonl", "method": "sft"},
        {
            "tuning": "qlora",
            "max_seq_length": 2048,
            "lora_rank": 16,
            "lora_alpha": 32,
            "lora_dropout": 0.05,
            "batch_size": 8,
            "epochs": 1,
            "learning_rate": 2e-4,
            "warmup_ratio": 0.1,
            "weight_decay": 0.0,
        },
        {
            *(
                "datasets.message_property_mappings",
                "val_set_size",
                "sample_packing",
                "lora_target_modules",
                "optimizer",
            ),
            "special_tokens",
        },
    ),
    (
        "llama-factory",
        LLAMA_FACTORY,
        {"target": "local:meta-llama/Meta-Llama-3-8B-Instruct", "data": None, "method": "dpo"},
        {
            "tuning": "lora",
            "lora_rank": 8,
            "beta": 0.1,
            "max_seq_length": 2048,
            "batch_size": 8,
            "epochs": 3,
            "learning_rate": 5e-6,
            "warmup_ratio": 0.1,
        },
        {"data", "template", "max_samples", "lr_scheduler_type"},
    ),
    (
        "trl",
        TRL,
        {"target": "local:Qwen/Qwen2-0.5B", "data": None, "method": "sft"},
        {"tuning": "lora", "learning_rate": 2e-5, "epochs": 1, "batch_size": 16, "lora_rank": 32, "lora_alpha": 16},
        {"dataset_name", "packing", "lora_target_modules", "hub_token"},
    ),
    (
        "unsloth",
        UNSLOTH,
        {"target": "local:unsloth/Qwen2.5-0.5B", "data": "tickets.jsonl", "method": "sft"},
        {
            "tuning": "qlora",
            "max_seq_length": 2048,
            "epochs": 3,
            "learning_rate": 2e-4,
            "batch_size": 8,
            "warmup_ratio": 0.25,
            "seed": 3407,
            "lora_rank": 64,
            "lora_alpha": 16,
            "lora_dropout": 0.0,
        },
        {"training.max_steps", "lora.target_modules"},
    ),
]


@pytest.mark.parametrize(("trainer", "text", "job", "settings", "left"), FOUND, ids=[one[0] for one in FOUND])
def test_a_config_as_people_write_it(
    trainer: str, text: str, job: Row, settings: Row, left: set[str], bridge: Bridge
) -> None:
    write_rows(Path("tickets.jsonl"), [ONE] * 30)
    Path("theirs.yaml").write_text(text, "utf-8")
    found = bridge.import_config("theirs.yaml")
    assert found.trainer == trainer
    assert {name: getattr(found, name) for name in job} == job
    assert found.hyperparameters.given() == settings
    assert {one.key for one in found.not_carried} == left
    assert all(one.why for one in found.not_carried)
    assert "hf_abcdefghijklmnop" not in found.model_dump_json()


@pytest.mark.parametrize("to", TRAINERS)
@pytest.mark.parametrize("tuning", ["lora", "rslora", "dora", "qlora", "full"])
def test_an_exported_config_is_read_back_whole(to: str, tuning: Any, bridge: Bridge, tmp_path: Path) -> None:
    given: Row = {"epochs": 2, "batch_size": 6, "learning_rate": 1e-4, "weight_decay": 0.1, "seed": 7, "tuning": tuning}
    given |= {"max_seq_length": 512, "warmup_ratio": 0.25}
    if tuning != "full":
        given |= {"lora_rank": 8, "lora_alpha": 4.0, "lora_dropout": 0.1}
    made, _rows = export(bridge, tmp_path, [TWO, *[ONE] * 22], to, **given)
    found = bridge.import_config(tmp_path / "out" / "config.yaml")
    assert (found.trainer, found.target) == (to, "local:Qwen/Qwen3-0.6B")
    assert found.data == str(made.training.out)
    assert found.hyperparameters.given() == given
    left = {"datasets.message_field_training"} if to == "axolotl" else set()
    assert {one.key for one in found.not_carried} == left


@pytest.mark.parametrize("to", ["trl", "axolotl", "llama-factory"])
def test_preferences_and_validation_are_read_back(to: str, bridge: Bridge, tmp_path: Path) -> None:
    held = write_rows(tmp_path / "held.jsonl", [PAIR])
    made, _rows = export(bridge, tmp_path, [PAIR] * 8, to, method="dpo", beta=0.3, validation=held, eval_interval=2)
    found = bridge.import_config(tmp_path / "out" / "config.yaml")
    assert (found.method, found.hyperparameters.beta, found.hyperparameters.eval_interval) == ("dpo", 0.3, 2)
    assert made.validation
    assert (found.data, found.validation) == (str(made.training.out), str(made.validation.out))
    assert bridge.check(found.data or "", "local:tiny", method="dpo").errors == 0


@pytest.mark.parametrize("to", TRAINERS)
@pytest.mark.parametrize("row", [ONE, TEXT], ids=["chat", "text"])
def test_the_exported_rows_are_read_as_what_they_were(to: str, row: Row, bridge: Bridge, tmp_path: Path) -> None:
    made, _rows = export(bridge, tmp_path, [row], to)
    out = tmp_path / "again.jsonl"
    bridge.convert(made.training.out, "local:tiny", out)
    assert json.loads(out.read_text("utf-8")) == row


WRONG: list[tuple[str, type[Exception], str]] = [
    ("a: [1", InputError, "neither YAML nor JSON"),
    ("- 1", InputError, "does not hold keys and values"),
    ("colour: red", InputError, "no config that ftbridge knows"),
    ("base_model: a/b\ndatasets: 3", InputError, "does not have the form of a config of axolotl"),
    ("base_model: a/b\nlearning_rate: fast", SpecError, "learning_rate"),
    ("base_model: a/b\nnum_epochs: 0", SpecError, "epochs"),
]


@pytest.mark.parametrize(("text", "error", "words"), WRONG)
def test_what_cannot_be_read_has_a_sentence(text: str, error: type[Exception], words: str, bridge: Bridge) -> None:
    Path("theirs.yaml").write_text(text, "utf-8")
    with pytest.raises(error, match=words):
        bridge.import_config("theirs.yaml")


def test_no_file(bridge: Bridge) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        bridge.import_config("none.yaml")


def test_a_config_in_json_is_read(bridge: Bridge) -> None:
    Path("theirs.json").write_text(json.dumps(yaml.safe_load(UNSLOTH)), "utf-8")
    assert bridge.import_config("theirs.json").trainer == "unsloth"


def test_the_command_prints_the_command(here: Cli) -> None:
    write_rows(Path("tickets.jsonl"), [ONE] * 30)
    Path("theirs.yaml").write_text(AXOLOTL, "utf-8")
    ran = here("import-config", "theirs.yaml", columns=80)
    assert ran.code == 0
    assert "ftbridge run tickets.jsonl --to local:NousResearch/Llama-3.2-1B " in ran.out
    assert "--learning-rate 0.0002" in ran.out
    assert "val_set_size" in ran.out
    document = here("import-config", "theirs.yaml", "--json").json
    assert document["command"] == ran.out.splitlines()[-1]
    assert document["not_carried"][0].keys() == {"key", "value", "why"}
    assert "flash_attention" in document["aside"]
