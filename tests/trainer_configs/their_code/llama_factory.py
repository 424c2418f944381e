"""Asks LLaMA-Factory's own code about config.yaml in the working folder; prints a line of JSON."""

# ruff: noqa: T201  # what it prints is its result
# mypy: ignore-errors
# LLaMA-Factory is unpacked without its dependencies, and mypy does not see it.
from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import yaml


def parse():
    """The values of the keys in the file, as LLaMA-Factory has them: an unknown key is an error."""
    from llamafactory.hparams import get_train_args

    given = yaml.safe_load(Path("config.yaml").read_text("utf-8"))
    parts = get_train_args({**given, "bf16": False, "use_cpu": True})
    return {key: next(getattr(part, key) for part in parts if hasattr(part, key)) for key in given}


def rows():
    """Each row of the training file as its own reader understands it: roles and contents, system prompt, tools."""
    sys.modules["torchaudio"] = types.ModuleType("torchaudio")  # for sounds, of which there are none
    from llamafactory.data.converter import get_dataset_converter
    from llamafactory.data.parser import get_dataset_list
    from llamafactory.hparams import DataArguments

    [found] = get_dataset_list(["train"], ".")
    converter = get_dataset_converter(found.formatting, found, DataArguments(dataset_dir="."))
    lines = Path("train.jsonl").read_text("utf-8").splitlines()
    kept = ("_prompt", "_response", "_system", "_tools")
    return [{key: converter(json.loads(line))[key] for key in kept} for line in lines]


if __name__ == "__main__":
    question = {"parse": parse, "rows": rows}[sys.argv[1]]
    print(json.dumps(question(**json.loads(sys.argv[2])), default=str))
