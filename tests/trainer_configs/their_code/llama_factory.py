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


def _converted():
    """The training file through its own reader."""
    import peft  # noqa: F401  # which looks whether there is one

    sys.modules["torchaudio"] = types.ModuleType("torchaudio")  # for sounds, of which there are none
    from llamafactory.data.converter import get_dataset_converter
    from llamafactory.data.parser import get_dataset_list
    from llamafactory.hparams import DataArguments

    [found] = get_dataset_list(["train"], ".")
    converter = get_dataset_converter(found.formatting, found, DataArguments(dataset_dir="."))
    lines = Path("train.jsonl").read_text("utf-8").splitlines()
    return [converter(json.loads(line)) for line in lines]


def rows():
    """Each row as its reader understands it: roles and contents, system prompt, tools."""
    kept = ("_prompt", "_response", "_system", "_tools")
    return [{key: row[key] for key in kept} for row in _converted()]


def labels(tokenizer):
    """The token ids of each row, and the positions of those that are trained, with the model's own template."""
    converted = _converted()
    from llamafactory.data.processor import SupervisedDatasetProcessor
    from llamafactory.data.template import get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments
    from transformers import AutoTokenizer

    given = yaml.safe_load(Path("config.yaml").read_text("utf-8"))
    options = DataArguments(cutoff_len=given["cutoff_len"], mask_history=given.get("mask_history", False))
    reader = AutoTokenizer.from_pretrained(tokenizer)
    template = get_template_and_fix_tokenizer(reader, options)
    processor = SupervisedDatasetProcessor(template=template, tokenizer=reader, processor=None, data_args=options)
    made = processor.preprocess_dataset({key: [row[key] for row in converted] for key in converted[0]})
    pairs = zip(made["input_ids"], made["labels"], strict=True)
    return [{"ids": list(ids), "trained": [one != -100 for one in trained]} for ids, trained in pairs]


if __name__ == "__main__":
    question = {"parse": parse, "rows": rows, "labels": labels}[sys.argv[1]]
    print(json.dumps(question(**json.loads(sys.argv[2])), default=str))
