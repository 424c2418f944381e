"""Axolotl: `axolotl train` with a config in YAML.

It knows which message is trained, by a key of the message. A DPO row has one answer on either side, and its loader
reads role and content alone. The arguments of calls and the parameters of tools may be JSON as a text, which keeps
their keys as they are. A key that it does not know it ignores, so all keys here are those of its schema.
Sources: Axolotl 0.19.0, `AxolotlInputConfig` and `prompt_strategies/`; its "Dataset formats"; read 2026-11-30.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ftbridge.dataset.canonical.example import Assistant, Chat, Preference
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Method
from ftbridge.trainer_configs.config_keys import SCHEDULE, ConfigKeys
from ftbridge.trainer_configs.messages import (
    Plain,
    as_lines,
    plain_messages,
    plain_tools,
    refuse_reasoning,
    refuse_tools,
    report_chat,
    single_outputs,
    trained_answers,
)
from ftbridge.trainer_configs.rows import Rows
from ftbridge.trainer_configs.trainer import ALL_CARRY, CONFIG, TRAIN, VALIDATION, Config, Plan, Trainer

KEYS = {
    "epochs": "num_epochs",
    "learning_rate": "learning_rate",
    "weight_decay": "weight_decay",
    "seed": "seed",
    "lora_rank": "lora_r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "max_seq_length": "sequence_len",
    "beta": "rl_beta",
    "early_stopping": "early_stopping_patience",
}
ASIDE = frozenset(
    (
        *("output_dir", "dataset_prepared_path", "logging_steps", "save_steps", "saves_per_epoch"),
        *("save_strategy", "save_total_limit", "wandb_project", "wandb_entity", "wandb_watch", "wandb_name"),
        *("wandb_log_model", "mlflow_experiment_name", "use_tensorboard", "hub_model_id", "hub_strategy"),
        *("push_dataset_to_hub", "bf16", "fp16", "tf32", "bfloat16", "gradient_checkpointing"),
        *("gradient_checkpointing_kwargs", "flash_attention", "sdp_attention", "xformers_attention"),
        *("attn_implementation", "eager_attention", "deepspeed", "fsdp", "fsdp_config", "fsdp_version"),
        *("dataset_processes", "dataloader_num_workers", "model_type", "tokenizer_type", "trust_remote_code"),
        *("strict", "eval_batch_size", "micro_eval_batch_size", "plugins", "liger_rope", "liger_rms_norm"),
        *("liger_glu_activation", "liger_fused_linear_cross_entropy", "cut_cross_entropy", "debug"),
        *("evals_per_epoch", "eval_strategy", "resume_from_checkpoint", "auto_resume_from_checkpoints"),
        *("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel"),
    )
)
_TRAINING = "training"  # the key of a message that says whether it is trained


class AxolotlRows(Rows):
    """Messages that say whether they are trained, messages and two answers, or texts."""

    target = "axolotl"

    def chat(self, chat: Chat, diagnostics: Diagnostics) -> Any:
        """One row, or one for each answer where earlier ones have a reasoning."""
        report_chat(chat, diagnostics)
        messages = plain_messages(chat.messages, "$.messages", diagnostics, trains_input=True)
        for plain, message in zip(messages, chat.messages, strict=True):
            if message.weight is not None:
                plain[_TRAINING] = message.weight == 1
        answers = trained_answers(chat.messages)
        before = chat.messages[: max(answers, default=0)]
        if any(type(one) is Assistant and one.reasoning_content is not None for one in before):
            diagnostics.changed("one_row_per_answer")  # templates leave out the reasoning of earlier answers
            starts = [0, *(at + 1 for at in answers)]
            parts = ((messages[:start], messages[start : at + 1]) for start, at in zip(starts, answers, strict=False))
            return as_lines({"messages": [*map(_untrained, old), *new], **_tools(chat)} for old, new in parts)
        return {"messages": messages, **_tools(chat)}

    def preference(self, example: Preference, diagnostics: Diagnostics) -> Plain:
        """The messages and both answers."""
        report_chat(example.input, diagnostics)
        whole = Chat([*example.input.messages, *example.preferred_output, *example.non_preferred_output])
        refuse_tools(Chat(whole.messages, example.input.tools), "$.input", "Axolotl's DPO", diagnostics)
        for root, said in (
            ("$.input.messages", example.input.messages),
            ("$.preferred_output", example.preferred_output),
            ("$.non_preferred_output", example.non_preferred_output),
        ):
            refuse_reasoning(said, root, "Axolotl's DPO", diagnostics)
        messages = plain_messages(example.input.messages, "$.input.messages", diagnostics)
        chosen, rejected = single_outputs(example, "Axolotl", diagnostics)
        return {"messages": messages, "chosen": chosen, "rejected": rejected}


def _untrained(message: Plain) -> Plain:
    """The message as one that is read alone, since another row trains it."""
    return {**message, _TRAINING: False} if message["role"] == "assistant" or _TRAINING in message else message


def _tools(chat: Chat) -> Plain:
    tools = plain_tools(chat.tools)
    for tool in tools:
        if "parameters" in tool["function"]:
            tool["function"]["parameters"] = msgspec.json.encode(tool["function"]["parameters"]).decode()
    return {"tools": tools} if tools else {}


def command(plan: Plan) -> str:
    """What to run in the folder."""
    return f"axolotl train {CONFIG}"


def config(plan: Plan) -> Config:
    """The whole config."""
    four_bits = plan.tuning == "qlora"
    return {
        "base_model": plan.model,
        **({"rl": "dpo"} if plan.method is Method.DPO else {}),
        "datasets": [_dataset(plan, TRAIN)],
        **({"test_datasets": [_dataset(plan, VALIDATION)], **_evaluations(plan)} if plan.validation else {}),
        "dataset_prepared_path": "prepared",
        **({"chat_template": "tokenizer_default"} if plan.rows.shape != "text" else {}),
        **({} if plan.tuning == "full" else {"adapter": "qlora" if four_bits else "lora", "lora_target_linear": True}),
        **({"load_in_4bit": True} if four_bits else {}),
        **{f"peft_{name}": value for name, value in plan.peft_flags.items()},
        **plan.named(KEYS),
        "excess_length_strategy": "truncate",
        "micro_batch_size": plan.micro_batch,
        "gradient_accumulation_steps": plan.accumulation,
        "warmup_steps": plan.warmup_steps,
        "lr_scheduler": "cosine",
        "cosine_min_lr_ratio": 0.1,
        "optimizer": "adamw_torch_fused",
        "max_grad_norm": 1.0,
        "bf16": False if plan.settings.get("precision") == "float32" else "auto",
        "output_dir": "output",
    }


def _dataset(plan: Plan, file: str) -> Config:
    entry: Config = {"path": file, "ds_type": "json", "split": "train"}
    if plan.method is Method.DPO:
        return {**entry, "type": "chat_template.default"}
    if plan.rows.shape == "text":
        return {**entry, "type": "completion", "field": "text"}
    trained = {"roles_to_train": ["assistant"], "train_on_eos": "turn", "message_field_training": _TRAINING}
    return {**entry, "type": "chat_template", "field_messages": "messages", **trained}


def _evaluations(plan: Plan) -> Config:
    """Whoever stops early has to save at each evaluation, and Axolotl wants both as numbers of steps."""
    every, stops = plan.settings.get("eval_interval"), "early_stopping" in plan.settings
    if not every and not stops:
        return {"evals_per_epoch": 1}
    steps = every or plan.steps_per_epoch
    return {"eval_steps": steps, **({"save_steps": steps} if stops else {})}


def recognises(found: Config) -> bool:
    """No other has this name for the model."""
    return "base_model" in found


def read(keys: ConfigKeys) -> None:
    """What ftbridge has a word for."""
    keys.model = keys.take("base_model")
    keys.method = Method.DPO if keys.left.get("rl") == "dpo" else Method.SFT
    keys.expect("rl", ("dpo",), "ftbridge trains by sft and dpo on this machine")
    keys.data = _read_data(keys, "datasets")
    keys.validation = _read_data(keys, "test_datasets")
    _read_tuning(keys)
    if (beta := keys.take("dpo_beta")) is not None:
        keys.settings["beta"] = beta
    keys.take_settings(KEYS)
    if every := keys.take("eval_steps"):
        keys.settings["eval_interval"] = every
    keys.take_batch("micro_batch_size")
    keys.take_warmup()
    keys.expect("lr_scheduler", ("cosine",), SCHEDULE)
    keys.expect("cosine_min_lr_ratio", (0.1,), SCHEDULE)
    adamw = ("adamw_torch", "adamw_torch_fused", "adamw_hf")
    keys.expect("optimizer", adamw, "ftbridge's optimizer is AdamW")
    keys.expect("max_grad_norm", (1.0,), "ftbridge clips gradients at 1")
    keys.expect("train_on_inputs", (False,), "ftbridge trains the assistant's answers alone")
    keys.expect("excess_length_strategy", ("truncate",), "ftbridge cuts rows that are too long")
    keys.expect("chat_template", ("tokenizer_default",), "ftbridge uses the model's own template")
    packed = "ftbridge lays rows end to end by itself, and none sees another"
    for key in ("sample_packing", "eval_sample_packing", "pad_to_sequence_len"):
        keys.expect(key, (False,), packed)
    keys.expect("val_set_size", (0, 0.0), "split the file first: ftbridge prepare --validation-split")


def _read_data(keys: ConfigKeys, key: str) -> str | None:
    """The one file that the entries name; what else they say is left under their name."""
    file = None
    for entry in keys.take(key, []):
        path = entry.get("path")
        if file is not None or not str(path).endswith((".json", ".jsonl", ".parquet", ".csv")):
            keys.leave(key, entry, "a job reads one file: download it, or join several to one")
            continue
        file = path
        inner = ConfigKeys(entry, keys.folder, key)
        inner.not_carried = keys.not_carried
        for name in ("path", "ds_type", "data_files", "split", "type", "name"):
            inner.take(name)
        inner.expect("field_messages", ("messages", "conversations"), "name the column with --map")
        inner.expect("roles_to_train", (["assistant"], ["gpt"]), "ftbridge trains the assistant's answers alone")
        inner.expect("train_on_eos", ("turn",), "ftbridge trains the end of each answer")
        inner.expect("field", ("text",), "name the column with --map")
        for mapped in ("message_property_mappings", "roles", "chat_template"):
            if (value := inner.take(mapped)) is not None:
                inner.leave(mapped, value, "ftbridge detects the form of rows: see what `check` says")
        if trained := inner.take("message_field_training"):
            inner.leave("message_field_training", trained, "write it as 'weight', 0 or 1, in the messages")
        keys.put_back(key, inner)
    return file


def _read_tuning(keys: ConfigKeys) -> None:
    adapter, four_bits = keys.take("adapter"), keys.take("load_in_4bit", False)
    kind = keys.take_adapter(four_bits=adapter == "qlora" or four_bits, prefix="peft_")
    keys.settings["tuning"] = kind if adapter in ("lora", "qlora") else "full"
    keys.expect("load_in_8bit", (False,), "ftbridge has no eight-bit base")
    if adapter in ("lora", "qlora"):
        keys.expect("lora_target_linear", (True,), "ftbridge adapts all linear layers")
        keys.expect("lora_target_modules", ("all-linear",), "ftbridge adapts all linear layers")
    elif adapter:
        keys.leave("adapter", adapter, "ftbridge trains LoRA, and all weights")


TRAINER = Trainer(
    name="axolotl",
    checked_with="axolotl 0.19.0",
    install="pip install axolotl",
    command=command,
    carries=frozenset({*KEYS, *ALL_CARRY, "precision", "eval_interval"}),
    converter=AxolotlRows,
    config=config,
    recognises=recognises,
    read=read,
    aside=ASIDE,
)
