"""What both sides of bench_local.py start from: a model of random weights, an adapter that changes nothing, chats."""

from __future__ import annotations

import json
import resource
import shutil
import time
from pathlib import Path
from random import Random
from typing import Any

from ftbridge.model import Hyperparameters

TEMPLATE = """\
{%- for message in messages %}
    {{- '<|' ~ message.role ~ '|>' }}
    {%- if message.role == 'assistant' %}{% generation %}{{ message.content ~ '<|end|>' }}{% endgeneration %}
    {%- else %}{{ message.content ~ '<|end|>' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}
"""
ROWS, MANY, HELD_OUT, BATCH, RATE = 2000, 20_000, 32, 8, 2e-3
GIVEN = Hyperparameters(epochs=1, batch_size=BATCH, learning_rate=RATE)
LORA: dict[str, Any] = {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}
SHAPES: dict[str, dict[str, int]] = {
    "10M": {"vocab_size": 8192, "hidden_size": 320, "intermediate_size": 864, "num_hidden_layers": 6},
    "100M-32k": {"vocab_size": 32_768, "hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 10},
    "100M-128k": {"vocab_size": 131_072, "hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 10},
}


def build(folder: Path, shape: str) -> None:
    """The model, the adapter and the data files, all from seeds."""
    import torch
    import transformers as untyped
    from peft import LoraConfig, get_peft_model

    from ftbridge_local.models.tiny import base as tiny

    transformers: Any = untyped  # half of its functions have no types
    shutil.copytree(tiny.tokenizer_folder(folder), folder / "model")
    (folder / "model" / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    kept = json.loads((folder / "model" / "config.json").read_bytes())
    config = {**kept, **SHAPES[shape], "num_attention_heads": 8, "num_key_value_heads": 4}
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(transformers.LlamaConfig(**config))
    model.save_pretrained(folder / "model")
    model.name_or_path = str(folder / "model")
    adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **LORA))
    adapted.save_pretrained(str(folder / "adapter"), save_embedding_layers=False)
    chance = Random(1)
    write_chats(folder / "train.jsonl", ROWS, chance)
    write_chats(folder / "held_out.jsonl", HELD_OUT, chance)
    write_chats(folder / "many.jsonl", MANY, chance)


def take(folder: Path, steps: int, data: str = "train.jsonl") -> None:
    """Lay out the file's rows of so many steps: steps.jsonl as they are, ordered.jsonl as ftbridge takes them."""
    from ftbridge_local.trainer import rows

    lines = (folder / data).read_text("utf-8").splitlines(keepends=True)[: steps * BATCH]
    order = [index for batch in rows.batches(len(lines), BATCH, 1, seed=0) for index in batch]
    (folder / "steps.jsonl").write_text("".join(lines), "utf-8")
    (folder / "ordered.jsonl").write_text("".join(lines[index] for index in order), "utf-8")


def write_chats(file: Path, count: int, chance: Random) -> None:
    """Chats of 30 to 300 tokens, as many of 30 to 60 as of 150 to 300; a third of each is the answer."""
    with file.open("w", encoding="utf-8") as out:
        for _ in range(count):
            length = 30 * 10 ** chance.random() - 5
            asked, said = (
                " ".join(chance.choice("abcdefgh") for _ in range(round(share * length))) for share in (2 / 3, 1 / 3)
            )
            messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
            out.write(json.dumps({"messages": messages}) + "\n")


class Meter:
    """CPU seconds between the ends of the first step and the last, and memory above what it was when training began."""

    def __init__(self) -> None:
        self.marks: dict[int, tuple[float, int]] = {}
        self.first_step_at = 0.0
        self.below = 0

    def loaded(self) -> None:
        """The model is loaded, and training begins."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory is counted anew
        self.below = _memory("VmRSS")

    def step(self, number: int, tokens: int) -> None:
        """A step has ended, after so many tokens, padding not counted."""
        self.first_step_at = self.first_step_at or time.time()
        self.marks[number] = (time.process_time(), tokens)

    def told(self, **more: Any) -> str:
        """All of it as JSON."""
        (began, before), (ended, after) = self.marks[min(self.marks)], self.marks[max(self.marks)]
        speed = (after - before) / (ended - began) if ended > began else None  # a single step has no time between
        memory = (_memory("VmHWM") - self.below) / 1024
        used = resource.getrusage(resource.RUSAGE_SELF)
        return json.dumps(
            {
                "speed": speed,
                "memory": memory,
                "first_step_at": self.first_step_at,
                "cpu_to_first_step": self.marks[min(self.marks)][0],
                "cpu": used.ru_utime + used.ru_stime,
                **more,
            }
        )


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))
