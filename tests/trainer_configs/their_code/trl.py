"""Asks TRL's own code about config.yaml in the working folder: `trl.py QUESTION OPTIONS`; prints a line of JSON."""

# ruff: noqa: T201  # what it prints is its result
# mypy: ignore-errors
# TRL is in an environment of its own, which mypy does not see.
from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.remove(str(Path(__file__).parent))  # where this file would be taken for TRL itself

import yaml
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer, ModelConfig, ScriptArguments, SFTConfig, SFTTrainer, TrlParser, get_peft_config
from trl.scripts.utils import DatasetMixtureConfig

CPU = ["--use_cpu", "true", "--bf16", "false", "--report_to", "none", "--save_strategy", "no", "--disable_tqdm", "true"]


def parsed(method, extra=()):
    """The config as `trl sft` or `trl dpo` reads it: an unknown key is an error."""
    kinds = (ScriptArguments, DPOConfig if method == "dpo" else SFTConfig, ModelConfig, DatasetMixtureConfig)
    return TrlParser(kinds).parse_args_and_config(["--config", "config.yaml", *CPU, *extra])


def parse(method):
    """The values of the keys in the file, as TRL has them."""
    script, training, model, data = parsed(method)
    values = {**asdict(script), **training.to_dict(), **asdict(model), **asdict(data)}
    return {key: values[key] for key in yaml.safe_load(Path("config.yaml").read_text("utf-8"))}


def trainer_of(method, extra=()):
    """The trainer as TRL's script makes it."""
    script, training, model, _mixture = parsed(method, extra)
    files = load_dataset(script.dataset_name)
    kind = DPOTrainer if method == "dpo" else SFTTrainer
    return kind(
        model=model.model_name_or_path,
        args=training,
        train_dataset=files[script.dataset_train_split],
        eval_dataset=files[script.dataset_test_split] if training.eval_strategy != "no" else None,
        peft_config=get_peft_config(model),
    )


def labels(method):
    """The token ids of each row, and the positions of those that are trained."""
    trainer = trainer_of(method, ["--shuffle_dataset", "false"] if method == "sft" else [])
    rows = []
    for row in trainer.train_dataset:
        batch = trainer.data_collator([row])
        for ids, mask, seen in zip(*_columns(batch), strict=True):
            size = int(seen.sum())
            rows.append({"ids": ids[:size].tolist(), "trained": [bool(one) for one in mask[:size].tolist()]})
    return rows


def _columns(batch):
    """Ids, what is trained, and what is no padding: of DPO's rows the chosen and then the rejected one."""
    mask = batch["completion_mask"] if "completion_mask" in batch else batch["labels"] != -100
    return batch["input_ids"], mask, batch["attention_mask"]


def train(method, steps):
    """A few steps, and what was logged of them."""
    trainer = trainer_of(method, ["--max_steps", str(steps), "--logging_steps", "1"])
    trainer.train()
    trainer.save_model("output")
    logged = [one["loss"] for one in trainer.state.log_history if "loss" in one]
    return {"losses": logged, "files": sorted(file.name for file in Path("output").iterdir())}


if __name__ == "__main__":
    question = {"parse": parse, "labels": labels, "train": train}[sys.argv[1]]
    print(json.dumps(question(**json.loads(sys.argv[2])), default=str))
