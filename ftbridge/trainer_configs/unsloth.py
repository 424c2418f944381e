"""Unsloth: `unsloth train --config` with a config in YAML, in sections.

Its command trains every answer of a chat, and supervised alone. It has no key for a weight, for tools, for a validation
file or for the course of the learning rate, and it takes whole numbers for the alpha of an adapter. A relative file is
one of the working folder; the result is written below Unsloth's own folder of outputs.
Sources: Unsloth 2026.10.9, `unsloth_cli/config.py`; read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge.dataset.canonical.example import Assistant, Chat
from ftbridge.dataset.findings import Diagnostics
from ftbridge.errors import SpecError
from ftbridge.model import Method
from ftbridge.trainer_configs.config_keys import ConfigKeys
from ftbridge.trainer_configs.messages import Plain, plain_messages, refuse_reasoning, refuse_tools, report_chat
from ftbridge.trainer_configs.rows import Rows
from ftbridge.trainer_configs.survey import Survey
from ftbridge.trainer_configs.trainer import ALL_CARRY, CONFIG, TRAIN, Config, Plan, Trainer

KEYS = {
    "epochs": "num_epochs",
    "learning_rate": "learning_rate",
    "weight_decay": "weight_decay",
    "seed": "random_seed",
    "max_seq_length": "max_seq_length",
}
ADAPTER_KEYS = {"lora_rank": "lora_r", "lora_alpha": "lora_alpha", "lora_dropout": "lora_dropout"}
ASIDE = frozenset(
    (
        *("training.output_dir", "training.save_steps", "training.gradient_checkpointing"),
        *("lora.vision_all_linear", "lora.finetune_vision_layers", "logging"),
    )
)
_LINEAR = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"


class UnslothRows(Rows):
    """Messages of role and content, or texts."""

    target = "unsloth"

    def chat(self, chat: Chat, diagnostics: Diagnostics) -> Plain:
        """One row."""
        report_chat(chat, diagnostics)
        refuse_tools(chat, "$", "Unsloth", diagnostics)
        refuse_reasoning(chat.messages, "$.messages", "Unsloth", diagnostics)
        for index, message in enumerate(chat.messages):
            if type(message) is Assistant and message.weight == 0:
                what = "Unsloth's command trains every answer of a chat, and this one has weight 0"
                fix = "End the example before this answer, or export for trl, axolotl or llama-factory."
                diagnostics.error(f"$.messages[{index}].weight", "weight_not_offered", what, fix)
        return {"messages": plain_messages(chat.messages, "$.messages", diagnostics)}


def check(method: Method, rows: Survey, settings: Mapping[str, Any]) -> None:
    """Raises `SpecError` for DPO, and for an alpha that is no whole number."""
    if method is Method.DPO:
        raise SpecError("unsloth's command has no dpo", hint="Use --to trl, axolotl or llama-factory.")
    if settings["tuning"] != "full" and not float(settings["lora_alpha"]).is_integer():
        what = f"unsloth takes whole numbers as lora_alpha, and not {settings['lora_alpha']}"
        raise SpecError(what, hint="Give --lora-alpha a whole number.")


def command(plan: Plan) -> str:
    """What to run in the folder."""
    return f"unsloth train --config {CONFIG}"


def config(plan: Plan) -> Config:
    """The whole config."""
    full = plan.tuning == "full"
    return {
        "model": plan.model,
        "data": {"local_dataset": [TRAIN], "format_type": "raw" if plan.rows.shape == "text" else "chatml"},
        "training": {
            "training_type": "full" if full else "lora",
            "load_in_4bit": plan.tuning == "qlora",
            **plan.named(KEYS),
            "batch_size": plan.micro_batch,
            "gradient_accumulation_steps": plan.accumulation,
            "warmup_steps": plan.warmup_steps,
            "packing": False,
            "train_on_completions": plan.rows.shape != "text",
            "output_dir": "output",
        },
        **({} if full else {"lora": _adapter(plan)}),
    }


def _adapter(plan: Plan) -> Config:
    return {
        **plan.named(ADAPTER_KEYS),
        "target_modules": _LINEAR,
        **plan.peft_flags,
    }


def notes(plan: Plan) -> list[str]:
    """What is different there."""
    told = ["Unsloth's learning rate falls along a line, and ftbridge's along a cosine to a tenth"]
    if plan.rows.shape != "text":
        told.append("Unsloth finds answers by the marks of known templates, and trains whole chats where it knows none")
    if plan.tuning != "full":
        told.append(f"the adapter is at {_LINEAR}: name others where the model has other linear layers")
    return told


def recognises(found: Config) -> bool:
    """The sections that it has."""
    return any(isinstance(found.get(section), Mapping) for section in ("training", "lora", "data"))


def read(keys: ConfigKeys) -> None:
    """What ftbridge has a word for."""
    keys.model = keys.take("model")
    data, training, adapter = keys.section("data"), keys.section("training"), keys.section("lora")
    first, *others = data.take("local_dataset", []) or [None]
    keys.data = first
    for other in others:
        data.leave("local_dataset", other, "a job reads one file: join several to one")
    if name := data.take("dataset"):
        data.leave("dataset", name, "a job reads a file: download the dataset as JSON Lines")
    data.take("format_type")
    full, four_bits = training.take("training_type", "lora") == "full", training.take("load_in_4bit", True)
    kind = adapter.take_adapter(four_bits=four_bits)
    keys.settings["tuning"] = "full" if full else kind
    training.take_settings(KEYS)
    if not full:
        adapter.take_settings(ADAPTER_KEYS)
        adapter.expect("target_modules", (_LINEAR, "all-linear"), "ftbridge adapts all linear layers")
    training.take_batch("batch_size")
    training.take_warmup()
    keys.warmup_steps = training.warmup_steps
    training.expect("train_on_completions", (True,), "ftbridge trains the assistant's answers alone")
    training.expect("packing", (False,), "ftbridge lays rows end to end by itself, and none sees another")
    training.expect("max_steps", (0,), "ftbridge counts epochs")
    adapter.expect("use_loftq", (False,), "ftbridge has no LoftQ")
    for name, section in (("data", data), ("training", training), ("lora", adapter)):
        keys.put_back(name, section)


TRAINER = Trainer(
    name="unsloth",
    checked_with="unsloth 2026.10.9",
    install="pip install unsloth",
    command=command,
    carries=frozenset({*KEYS, *ADAPTER_KEYS, *ALL_CARRY}),
    converter=UnslothRows,
    check=check,
    config=config,
    notes=notes,
    recognises=recognises,
    read=read,
    aside=ASIDE,
    validates=False,
)
