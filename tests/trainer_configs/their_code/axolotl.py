"""Asks Axolotl's own code about config.yaml in the working folder: `axolotl.py QUESTION OPTIONS`; prints JSON."""

# ruff: noqa: T201  # what it prints is its result
# mypy: ignore-errors
# Axolotl is unpacked without its dependencies, and mypy does not see it.
from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.remove(str(Path(__file__).parent))  # where this file would be taken for Axolotl itself

import yaml


def parse():
    """The config through the schema; and the keys that the schema does not have, which Axolotl ignores."""
    from axolotl.utils.schemas.config import AxolotlInputConfig

    given = yaml.safe_load(Path("config.yaml").read_text("utf-8"))
    read = AxolotlInputConfig.model_validate(given).model_dump(exclude_none=True, mode="json")
    known = set(AxolotlInputConfig.model_fields)
    return {"values": {key: read.get(key) for key in given}, "unknown": sorted(set(given) - known)}


def labels(tokenizer):
    """The token ids of each row, and the positions of those that are trained, by its own strategy."""
    from axolotl.prompt_strategies.chat_template import ChatTemplatePrompter, ChatTemplateStrategy
    from transformers import AutoTokenizer

    [dataset] = yaml.safe_load(Path("config.yaml").read_text("utf-8"))["datasets"]
    reader = AutoTokenizer.from_pretrained(tokenizer)
    prompter = ChatTemplatePrompter(
        reader,
        chat_template=reader.chat_template,
        message_field_training=dataset["message_field_training"],
        field_messages=dataset["field_messages"],
        max_length=4097,
    )
    strategy = ChatTemplateStrategy(
        prompter,
        tokenizer=reader,
        train_on_inputs=False,
        sequence_len=4096,
        roles_to_train=dataset["roles_to_train"],
        train_on_eos=dataset["train_on_eos"],
    )
    rows = []
    for line in Path(dataset["path"]).read_text("utf-8").splitlines():
        made = strategy.tokenize_prompt(json.loads(line))
        rows.append({"ids": list(made["input_ids"]), "trained": [one != -100 for one in made["labels"]]})
    return rows


if __name__ == "__main__":
    question = {"parse": parse, "labels": labels}[sys.argv[1]]
    print(json.dumps(question(**json.loads(sys.argv[2])), default=str))
