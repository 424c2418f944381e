"""The config, the folder and what is told: from a dataset with options, and from a job."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from command_line import Cli
from ftbridge import Bridge
from ftbridge.errors import FtbridgeError, InputError, SpecError, UsageError
from ftbridge.model import Hyperparameters, Method
from ftbridge.trainer_configs.known import TRAINERS
from ftbridge.trainer_configs.settings import chosen_settings, steps_of
from ftbridge_local.trainer.settings import choose
from small_data import write_rows
from trainer_configs.rows_of_all_kinds import CALL, ONE, PAIR, TEXT, ZERO, Row, export

OPENAI = "mock+openai:gpt-4.1-mini-2025-04-14"


def config_of(bridge: Bridge, folder: Path, to: str, rows: list[Row] | None = None, **options: Any) -> Any:
    """The config that is written."""
    export(bridge, folder, rows or [ONE] * 20, to, **options)
    return yaml.safe_load((folder / "out" / "config.yaml").read_text("utf-8"))


def test_every_setting_has_its_place_for_trl(bridge: Bridge, tmp_path: Path) -> None:
    found = config_of(
        bridge,
        tmp_path,
        "trl",
        epochs=2,
        batch_size=6,
        learning_rate=1e-4,
        warmup_ratio=0.25,
        weight_decay=0.1,
        seed=7,
        tuning="rslora",
        lora_rank=8,
        lora_alpha=4.0,
        lora_dropout=0.1,
        max_seq_length=512,
        precision="float32",
    )
    assert found == {
        "model_name_or_path": "Qwen/Qwen3-0.6B",
        "dtype": "float32",
        "dataset_name": "data",
        "dataset_train_split": "train",
        "use_peft": True,
        "lora_target_modules": "all-linear",
        "use_rslora": True,
        "num_train_epochs": 2,
        "learning_rate": 1e-4,
        "weight_decay": 0.1,
        "seed": 7,
        "lora_r": 8,
        "lora_alpha": 4,
        "lora_dropout": 0.1,
        "max_length": 512,
        "per_device_train_batch_size": 3,
        "gradient_accumulation_steps": 2,
        "warmup_steps": 2,  # a quarter of two epochs of four steps
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        "output_dir": "output",
    }


@pytest.mark.parametrize(
    ("to", "tuning", "keys"),
    [
        ("trl", "qlora", {"use_peft": True, "load_in_4bit": True}),
        ("trl", "dora", {"use_peft": True, "use_dora": True}),
        ("axolotl", "qlora", {"adapter": "qlora", "load_in_4bit": True}),
        ("axolotl", "dora", {"adapter": "lora", "peft_use_dora": True}),
        ("axolotl", "rslora", {"adapter": "lora", "peft_use_rslora": True}),
        ("llama-factory", "qlora", {"finetuning_type": "lora", "quantization_bit": 4}),
        ("llama-factory", "full", {"finetuning_type": "full"}),
    ],
)
def test_the_tuning_has_its_keys(to: str, tuning: Any, keys: Row, bridge: Bridge, tmp_path: Path) -> None:
    found = config_of(bridge, tmp_path, to, tuning=tuning)
    assert {key: found.get(key) for key in keys} == keys


@pytest.mark.parametrize("to", TRAINERS)
def test_full_tuning_has_no_adapter(to: str, bridge: Bridge, tmp_path: Path) -> None:
    text = json.dumps(config_of(bridge, tmp_path, to, tuning="full"))
    assert not any(word in text for word in ("lora_r", "lora_alpha", '"use_peft"', '"adapter"', "lora_target"))


@pytest.mark.parametrize(
    ("to", "keys"),
    [
        ("trl", {"beta": 0.3, "learning_rate": 5e-5}),
        ("axolotl", {"rl": "dpo", "rl_beta": 0.3}),
        ("llama-factory", {"stage": "dpo", "pref_beta": 0.3, "pref_loss": "sigmoid"}),
    ],
)
def test_preferences_have_their_keys(to: str, keys: Row, bridge: Bridge, tmp_path: Path) -> None:
    found = config_of(bridge, tmp_path, to, [PAIR] * 4, method="dpo", beta=0.3)
    assert {key: found.get(key) for key in keys} == keys


def test_unsloth_has_sections(bridge: Bridge, tmp_path: Path) -> None:
    found = config_of(bridge, tmp_path, "unsloth", epochs=1, batch_size=4)
    assert found["data"] == {"local_dataset": ["train.jsonl"], "format_type": "chatml"}
    assert found["training"]["train_on_completions"] is True
    assert found["training"]["load_in_4bit"] is False
    assert (found["training"]["batch_size"], found["training"]["gradient_accumulation_steps"]) == (4, 1)
    assert found["lora"]["lora_alpha"] == 32


def test_llama_factory_is_told_of_its_files(bridge: Bridge, tmp_path: Path) -> None:
    held = write_rows(tmp_path / "held.jsonl", [ZERO])
    found = config_of(bridge, tmp_path, "llama-factory", [CALL], validation=held)
    assert (found["dataset"], found["eval_dataset"], found["eval_strategy"]) == ("train", "validation", "epoch")
    assert found["mask_history"] is True  # the validation file has an answer that is not trained
    files = json.loads((tmp_path / "out" / "dataset_info.json").read_text("utf-8"))
    assert files["validation"]["file_name"] == "validation.jsonl"
    assert files["train"]["columns"] == {"messages": "messages", "tools": "tools"}
    assert files["train"]["formatting"] == "sharegpt"


@pytest.mark.parametrize(("to", "key"), [("trl", "dataset_test_split"), ("axolotl", "test_datasets")])
def test_a_validation_file_is_named(to: str, key: str, bridge: Bridge, tmp_path: Path) -> None:
    held = write_rows(tmp_path / "held.jsonl", [ONE])
    found = config_of(bridge, tmp_path, to, validation=held, eval_interval=5)
    assert key in found
    assert found["eval_steps"] == 5
    assert list((tmp_path / "out").rglob("validation.jsonl"))


def test_what_a_trainer_has_no_key_for_is_told(bridge: Bridge, tmp_path: Path) -> None:
    held = write_rows(tmp_path / "held.jsonl", [ONE])
    made, _rows = export(bridge, tmp_path, [ONE], "unsloth", validation=held, early_stopping=2, train_reasoning=False)
    told = " ".join(made.notes)
    assert "early_stopping = 2 is left out" in told
    assert "train_reasoning = False is left out" in told
    assert "no validation file" in told
    assert not (tmp_path / "out" / "validation.jsonl").exists()


@pytest.mark.parametrize("method", [Method.SFT, Method.DPO])
@pytest.mark.parametrize("tuning", ["lora", "qlora", "full"])
@pytest.mark.parametrize("rank", [None, 4])
def test_what_nobody_gives_is_chosen_as_on_this_machine(method: Method, tuning: Any, rank: int | None) -> None:
    given = Hyperparameters(tuning=tuning, lora_rank=None if tuning == "full" else rank)
    there = chosen_settings(given, method)
    here, _note = choose(given, method, parameters=10**9, context=4096, prefers_bf16=False, adapter=False)
    assert there == {name: getattr(here, name) for name in there}


@pytest.mark.parametrize(
    ("rows", "given", "steps"),
    [
        (20, {"epochs": 3, "batch_size": 8}, (4, 2, 9, 0)),
        (20, {"epochs": 3, "batch_size": 7, "warmup_ratio": 0.1}, (1, 7, 9, 1)),
        (21, {"epochs": 1, "batch_size": 3, "warmup_ratio": 1.0}, (3, 1, 7, 7)),
        (100, {"epochs": 1, "batch_size": 16, "devices": 2, "warmup_ratio": 0.5}, (4, 2, 7, 4)),
    ],
)
def test_a_step_is_divided_and_the_steps_are_counted(rows: int, given: Any, steps: tuple[int, ...]) -> None:
    assert steps_of(chosen_settings(Hyperparameters(**given), Method.SFT), rows) == steps


def test_the_readme_says_what_to_run_and_what_is_different(bridge: Bridge, tmp_path: Path) -> None:
    export(bridge, tmp_path, [CALL], "llama-factory", devices=2)
    text = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "CUDA_VISIBLE_DEVICES=0,1 llamafactory-cli train config.yaml" in text
    assert "llamafactory 0.9.5" in text
    assert "tools_by_trainers_template: 1 row of train.jsonl, the first on line 1" in text
    assert "epochs: 3" in text


def test_the_rows_are_no_more_open_than_the_dataset(bridge: Bridge, tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [ONE]).chmod(0o600)
    bridge.export_config(tmp_path / "rows.jsonl", "unsloth", tmp_path / "out", model="a/b")
    assert stat.S_IMODE((tmp_path / "out" / "train.jsonl").stat().st_mode) == 0o600


def test_a_folder_with_anything_in_it_is_left_alone(bridge: Bridge, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(InputError, match=r"mine\.txt"):
        export(bridge, tmp_path, [ONE], "trl")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]


WRONG: list[tuple[Row, type[FtbridgeError], str]] = [
    ({"to": "local:tiny"}, UsageError, "goes to --model"),
    ({"to": "axolot"}, UsageError, "'axolotl'"),
    ({"model": None}, UsageError, "Give --model"),
    ({"model": OPENAI}, SpecError, "--model ORGANISATION/NAME"),
    ({"method": "rft"}, SpecError, "sft or dpo"),
    ({"to": "unsloth", "method": "dpo"}, SpecError, "--to trl"),
    ({"to": "unsloth", "lora_alpha": 12.5}, SpecError, "whole number"),
    ({"beta": 0.1}, SpecError, "Leave beta out"),
    ({"tuning": "full", "lora_rank": 4}, SpecError, "Leave lora_rank out"),
    ({"batch_size": 3, "devices": 2}, SpecError, "multiple of --devices"),
    ({"epochs": 0}, SpecError, "another value"),
]


@pytest.mark.parametrize(("options", "error", "hint"), WRONG)
def test_what_cannot_be_has_a_sentence(
    options: Row, error: type[FtbridgeError], hint: str, bridge: Bridge, tmp_path: Path
) -> None:
    with pytest.raises(error) as caught:
        export(bridge, tmp_path, [ONE], options.pop("to", "trl"), **options)
    assert hint in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_what_is_neither_file_nor_job_is_told(bridge: Bridge, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"rowz.jsonl is neither a file nor a job"):
        bridge.export_config("rowz.jsonl", "trl", tmp_path / "out", model="a/b")


def test_rows_that_are_in_no_file(bridge: Bridge, tmp_path: Path) -> None:
    made = bridge.export_config([ONE, TEXT | {}][:1], "axolotl", tmp_path / "out", model="a/b")
    assert made.rows == 1


def test_the_command_tells_what_it_did_in_80_columns(here: Cli, data: Path) -> None:
    ran = here(
        "export-config", data, "--to", "unsloth", "--model", "Qwen/Qwen3-8B", "--out", "with-unsloth", columns=80
    )
    assert ran.code == 0
    assert "with-unsloth: 12 examples for unsloth, 12 of them with the same meaning" in ran.out
    assert "cd with-unsloth && CUDA_VISIBLE_DEVICES=0 unsloth train --config config.yaml" in ran.err
    assert "epochs = 3" in ran.err


def test_the_command_with_rows_that_do_not_fit(here: Cli, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.jsonl", [ONE, ZERO])
    words = ["export-config", file, "--to", "unsloth", "--model", "a/b", "--out", "out"]
    ran = here(*words, columns=80)
    assert ran.code == 1
    assert "error: weight_not_offered (unsloth), once" in ran.out
    assert "line 2, $.messages[1].weight" in ran.out
    assert "nothing was written for unsloth: 1 error" in ran.out
    document = here(*words, "--json").json
    assert document["out"] is None
    assert document["training"]["impossible"][0]["code"] == "weight_not_offered"


def test_one_document(here: Cli, data: Path) -> None:
    document = here("export-config", data, "--to", "trl", "--model", "a/b", "--out", "out", "--json").json
    assert document["checked_with"] == "trl 1.16.0"
    assert document["command"] == "CUDA_VISIBLE_DEVICES=0 trl sft --config config.yaml"
    assert document["settings"]["learning_rate"] == 2e-4
    assert document["rows"] == document["training"]["exact"] == 12
    assert document["validation"] is None
