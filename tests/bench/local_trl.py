"""One run of TRL for bench_local.py: `local_trl.py FOLDER STEPS SETTING`; prints a line of JSON."""

# ruff: noqa: T201  # what it prints is its result
# mypy: ignore-errors
# TRL is in an environment of its own, which mypy does not see.
from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # what ftbridge sets for itself, so that threads are compared alike
sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from datasets import load_dataset
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

from bench.local_world import BATCH, GIVEN, RATE, Meter
from ftbridge.model import Method
from ftbridge_local.trainer.settings import choose

SETTINGS = {
    "plain": {"train_sampling_strategy": "sequential"},  # the file has the order in which ftbridge takes the rows
    "group_by_length": {"train_sampling_strategy": "group_by_length"},
}


class Counting(SFTTrainer):
    """TRL's trainer, which counts the tokens that are not padding."""

    tokens = 0

    def training_step(self, model, inputs, *more):
        self.tokens += int(inputs["attention_mask"].sum())
        return super().training_step(model, inputs, *more)


class Marks(TrainerCallback):
    """Tells the meter when a step ends."""

    def __init__(self, meter):
        self.meter, self.trainer = meter, None

    def on_step_end(self, args, state, control, **more):
        self.meter.step(state.global_step, self.trainer.tokens)


def mean_loss(model, tokenizer, file):
    """The mean loss per token of the answers, each chat alone."""
    total, count = 0.0, 0
    for chat in load_dataset("json", data_files=str(file), split="train")["messages"]:
        made = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
        ids = torch.tensor([made["input_ids"]])
        wanted = torch.tensor([made["assistant_masks"]])[0, 1:].bool()
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1][wanted]
        total += torch.nn.functional.cross_entropy(logits.float(), ids[0, 1:][wanted], reduction="sum").item()
        count += int(wanted.sum())
    return total / count


def main(folder: Path, steps: int, setting: str) -> None:
    """Train as TRL's documentation says, from the same model, adapter and rows."""
    torch.set_num_threads(2)
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    base = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(folder / "adapter"), is_trainable=True)
    meter = Meter()
    marks = Marks(meter)
    config = SFTConfig(
        output_dir=str(folder / "trl"),
        use_cpu=True,
        bf16=False,
        assistant_only_loss=True,
        packing=False,
        per_device_train_batch_size=BATCH,
        max_steps=steps,
        gradient_checkpointing=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=0,
        **SETTINGS[setting],
    )
    rows = load_dataset("json", data_files=str(folder / "ordered.jsonl"), split="train")
    settings, _note = choose(GIVEN, Method.SFT, parameters=0, context=1024, prefers_bf16=False, adapter=True)
    optimizer = torch.optim.AdamW(
        (one for one in model.parameters() if one.requires_grad), lr=RATE, weight_decay=0, fused=True
    )
    pace = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: settings.learning_rate_at(min(done + 1, steps), steps) / RATE
    )
    trainer = Counting(
        model=model,
        args=config,
        train_dataset=rows,
        processing_class=tokenizer,
        callbacks=[marks],
        optimizers=(optimizer, pace),
    )
    marks.trainer = trainer
    meter.loaded()
    trainer.train()
    line = meter.to_json(tokens=trainer.tokens)  # before the validation, which is not TRL's own
    model.eval()
    print(line[:-1] + f', "valid_loss": {mean_loss(model, tokenizer, folder / "held_out.jsonl")}}}')


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
