"""How far ftbridge's DPO loss is from TRL's on one batch: `local_dpo.py FOLDER`; prints a line of JSON."""

# ruff: noqa: T201  # what it prints is its result
# mypy: ignore-errors
# TRL is in an environment of its own, which mypy does not see.
from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
import torch
from datasets import Dataset
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

from ftbridge.dataset.canonical.example import Chat
from ftbridge.model import Method
from ftbridge_local.tokenizing import encoding
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from ftbridge_local.trainer import losses, varlen

BETA, SIZE = 0.3, 8


def preferences(count: int, chance: Random) -> list[dict]:
    """Prompts with two answers, in TRL's shape."""

    def words(role: str) -> list[dict]:
        return [{"role": role, "content": " ".join(chance.choice("abcdefgh") for _ in range(chance.randint(5, 60)))}]

    return [
        {"prompt": words("user"), "chosen": words("assistant"), "rejected": words("assistant")} for _ in range(count)
    ]


def adapted(folder: Path) -> PeftModel:
    """The model with its adapter, which does nothing yet."""
    base = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32)
    return PeftModel.from_pretrained(base, str(folder / "adapter"), is_trainable=True)


def moved(model: PeftModel) -> None:
    """Let the adapter do something, always the same."""
    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _name, weight in sorted(model.named_parameters()):
            if weight.requires_grad:
                weight.copy_(0.02 * torch.randn(weight.shape, generator=chance))


def main(folder: Path) -> None:
    """Both losses on the same pairs, of an adapter that has moved away from where it began."""
    rows = preferences(SIZE, Random(3))
    config = DPOConfig(
        output_dir=str(folder / "dpo"), use_cpu=True, bf16=False, beta=BETA, per_device_train_batch_size=SIZE,
        gradient_checkpointing=False, report_to="none", disable_tqdm=True,
    )  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    trainer = DPOTrainer(
        model=adapted(folder), args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer
    )
    moved(trainer.model)
    trainer.model.eval()
    batch = trainer.data_collator([trainer.train_dataset[index] for index in range(SIZE)])
    with torch.no_grad():
        theirs = trainer.compute_loss(trainer.model, batch).item()

    own, model = Tokenizer(folder / "model"), adapted(folder)
    pairs = []
    for row in rows:
        sides = (json.dumps({"messages": row["prompt"] + row[name]}).encode() for name in ("chosen", "rejected"))
        pairs.append(encoding.Pair(*(encoding.encode(msgspec.json.decode(side, type=Chat), own) for side in sides)))
    varlen.enable(model)
    kept = folder / "reference.json"
    kept.unlink(missing_ok=True)
    pairs = losses.with_reference(model, pairs, 512, kept)
    moved(model)
    ours = losses.mean(model, pairs, losses.objective(Method.DPO, BETA), 512)
    print(json.dumps({"trl": theirs, "ftbridge": ours, "apart": abs(theirs - ours)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
