"""LLaMA-Factory: `llamafactory-cli train` with a config in YAML, and dataset_info.json beside the rows.

A message has no weight there: where an answer is not to be trained, each other answer gets a row of its own, and
`mask_history` trains the last one of each. Rows whose roles do not alternate it skips with a warning in its log, so
they are refused here. Its reader of OpenAI's form writes a sentence into system prompts, so the rows are ShareGPT's,
with OpenAI's names. Without `template` it uses the model's own; calls of tools it writes in its own way.
Sources: LLaMA-Factory 0.9.5, `hparams/`, `data/converter.py` and `data/README.md`; read 2026-11-30.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from ftbridge.dataset.canonical.example import Chat, Preference
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Method
from ftbridge.trainer_configs import training_arguments
from ftbridge.trainer_configs.config_keys import ConfigKeys
from ftbridge.trainer_configs.messages import (
    Plain,
    as_lines,
    plain_messages,
    plain_tools,
    refuse_reasoning,
    report_chat,
    single_outputs,
    trained_answers,
)
from ftbridge.trainer_configs.rows import Rows
from ftbridge.trainer_configs.trainer import ALL_CARRY, CONFIG, TRAIN, VALIDATION, Config, Plan, Trainer

KEYS = {
    "epochs": "num_train_epochs",
    "learning_rate": "learning_rate",
    "weight_decay": "weight_decay",
    "seed": "seed",
    "lora_rank": "lora_rank",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "max_seq_length": "cutoff_len",
    "beta": "pref_beta",
}
ASIDE = training_arguments.ASIDE | {
    *("plot_loss", "overwrite_cache", "preprocessing_num_workers", "pure_bf16", "flash_attn"),
    *("enable_liger_kernel", "use_unsloth", "quantization_method", "double_quantization", "cache_dir"),
    *("tokenized_path", "disable_gradient_checkpointing"),
}
_CALL = "function_call"  # the role of an answer that calls tools
_ASKS, _ANSWERS = ("user", "tool"), ("assistant", _CALL)
_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "function_tag": _CALL,
    "system_tag": "system",
}


class LlamaFactoryRows(Rows):
    """Messages with tools as a text, the same and two answers, or texts."""

    target = "llama-factory"

    def chat(self, chat: Chat, diagnostics: Diagnostics) -> Any:
        """One row, or one for each answer where the file has answers that are not trained."""
        messages = self._messages(chat, "$", diagnostics)
        answers = trained_answers(chat.messages)
        if not self.rows.skips_answers:
            return {"messages": messages, **self._tools(chat)}
        if len(answers) > 1:
            diagnostics.changed("one_row_per_answer")
        return as_lines({"messages": messages[: at + 1], **self._tools(chat)} for at in answers)

    def preference(self, example: Preference, diagnostics: Diagnostics) -> Plain:
        """The messages and both answers."""
        messages = self._messages(example.input, "$.input", diagnostics)
        for key in ("preferred_output", "non_preferred_output"):
            refuse_reasoning(getattr(example, key), f"$.{key}", "LLaMA-Factory", diagnostics)
        chosen, rejected = single_outputs(example, "LLaMA-Factory", diagnostics)
        return {
            "messages": messages,
            "chosen": _as_call(chosen, "$.preferred_output[0]", diagnostics),
            "rejected": _as_call(rejected, "$.non_preferred_output[0]", diagnostics),
            **self._tools(example.input),
        }

    def _messages(self, chat: Chat, root: str, diagnostics: Diagnostics) -> list[Plain]:
        report_chat(chat, diagnostics)
        refuse_reasoning(chat.messages, f"{root}.messages", "LLaMA-Factory", diagnostics)
        plain = plain_messages(chat.messages, f"{root}.messages", diagnostics)
        messages = [_as_call(one, f"{root}.messages[{at}]", diagnostics) for at, one in enumerate(plain)]
        _check_order(messages, f"{root}.messages", diagnostics)
        if chat.tools or any(one["role"] == _CALL for one in messages):
            diagnostics.changed("tools_by_trainers_template")
        return messages

    def _tools(self, chat: Chat) -> Plain:
        """The tools, and an empty text where other rows have some: there is one column for all."""
        if not self.rows.has_tools:
            return {}
        tools = plain_tools(chat.tools)
        return {"tools": msgspec.json.encode(tools).decode() if tools else ""}


def _as_call(message: Plain, path: str, diagnostics: Diagnostics) -> Plain:
    """The message with its role and its content alone: calls are a content of JSON, in a role of their own."""
    if not (calls := message.get("tool_calls")):
        return {"role": message["role"], "content": message["content"]}
    if message["content"].strip():
        what = "LLaMA-Factory takes an answer's text or its tool calls, and this answer has both"
        diagnostics.error(f"{path}.content", "content_and_tool_calls", what, "Remove the text or the calls.")
    functions = [{**one["function"], "arguments": msgspec.json.decode(one["function"]["arguments"])} for one in calls]
    return {"role": _CALL, "content": msgspec.json.encode(functions).decode()}


def _check_order(messages: list[Plain], root: str, diagnostics: Diagnostics) -> None:
    """Report what LLaMA-Factory would skip: roles that do not alternate, beginning with the user."""
    first = 1 if messages and messages[0]["role"] == "system" else 0
    for index, message in enumerate(messages[first:]):
        at = f"{root}[{first + index}].role"
        if message["role"] == "system":
            what = "LLaMA-Factory takes one system message, and only as the first"
            diagnostics.error(at, "system_not_first", what, "Merge it into the first, or into a user message.")
            return
        if message["role"] not in (_ANSWERS if index % 2 else _ASKS):
            what = "LLaMA-Factory skips rows in which the user, or a single tool, and the assistant do not alternate"
            diagnostics.error(at, "roles_do_not_alternate", what, "Merge the messages, or export for axolotl or trl.")
            return


def command(plan: Plan) -> str:
    """What to run in the folder."""
    return f"llamafactory-cli train {CONFIG}"


def config(plan: Plan) -> Config:
    """The whole config."""
    return {
        "model_name_or_path": plan.model,
        "stage": _stage(plan),
        "do_train": True,
        **({"pref_loss": "sigmoid"} if plan.method is Method.DPO else {}),
        **({"finetuning_type": "full"} if plan.tuning == "full" else {"finetuning_type": "lora", "lora_target": "all"}),
        **plan.peft_flags,
        **({"quantization_bit": 4, "quantization_method": "bnb"} if plan.tuning == "qlora" else {}),
        "dataset": "train",
        "dataset_dir": ".",
        **({"packing": False} if plan.rows.shape == "text" else {}),
        **({"mask_history": True} if plan.rows.skips_answers else {}),
        **_evaluated(plan),
        **plan.named(KEYS),
        **training_arguments.written(plan),
        "bf16": plan.settings.get("precision") != "float32",
        "output_dir": "output",
    }


def _stage(plan: Plan) -> str:
    return "dpo" if plan.method is Method.DPO else "pt" if plan.rows.shape == "text" else "sft"


def _evaluated(plan: Plan) -> Config:
    if not plan.validation:
        return {}
    return {"eval_dataset": "validation", **training_arguments.evaluated(plan)}


def companions(plan: Plan) -> dict[str, Any]:
    """What the files of rows are."""
    files = {"train": TRAIN, **({"validation": VALIDATION} if plan.validation else {})}
    columns = {"messages": "messages", **({"tools": "tools"} if plan.rows.has_tools else {})}
    form: Config = {"formatting": "sharegpt", "columns": columns, "tags": _TAGS}
    if plan.method is Method.DPO:
        form |= {"ranking": True, "columns": {**columns, "chosen": "chosen", "rejected": "rejected"}}
    elif plan.rows.shape == "text":
        form = {"columns": {"prompt": "text"}}
    return {"dataset_info.json": {name: {"file_name": file, **form} for name, file in files.items()}}


def notes(plan: Plan) -> list[str]:
    """What is different there."""
    if not plan.rows.has_tools:
        return []
    return ["tools are written by LLaMA-Factory's own templates: set `template` to the one of this model"]


def recognises(found: Config) -> bool:
    """Its own words for the kind of training and its data."""
    return "model_name_or_path" in found and any(key in found for key in ("stage", "finetuning_type", "cutoff_len"))


def read(keys: ConfigKeys) -> None:
    """What ftbridge has a word for."""
    keys.model = keys.take("model_name_or_path")
    stage = keys.take("stage", "sft")
    keys.method = Method.DPO if stage == "dpo" else Method.SFT
    if stage not in ("sft", "dpo", "pt"):
        keys.leave("stage", stage, "ftbridge trains by sft and dpo on this machine")
    keys.expect("pref_loss", ("sigmoid",), "ftbridge's loss for preferences is the sigmoid")
    _read_data(keys)
    _read_tuning(keys)
    keys.take_settings(KEYS)
    training_arguments.read_steps(keys)
    keys.expect("template", (), "ftbridge uses the model's own template")
    training_arguments.read_schedule(keys)
    keys.expect("train_on_prompt", (False,), "ftbridge trains the assistant's answers alone")
    keys.expect("packing", (False,), "ftbridge lays rows end to end by itself, and none sees another")
    keys.expect("mask_history", (False,), "write weight 0 on all answers of a row but the last")
    keys.expect("max_grad_norm", (1.0,), "ftbridge clips gradients at 1")
    keys.expect("val_size", (0, 0.0), "split the file first: ftbridge prepare --validation-split")


def _read_data(keys: ConfigKeys) -> None:
    """The names of datasets, which dataset_info.json has files for."""
    folder = keys.folder / keys.take("dataset_dir", "data")
    for name, key in (("data", "dataset"), ("validation", "eval_dataset")):
        named = keys.take(key)
        if named is None:
            continue
        first, *others = named if isinstance(named, list) else str(named).split(",")
        setattr(keys, name, _file_of(first.strip(), folder))
        for other in others:
            keys.leave(key, other, "a job reads one file: join several to one")


def _file_of(name: str, folder: Path) -> str:
    """The file of a dataset, or its name where that cannot be looked up."""
    try:
        return str(folder / json.loads((folder / "dataset_info.json").read_bytes())[name]["file_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return name


def _read_tuning(keys: ConfigKeys) -> None:
    kind, bits = keys.take("finetuning_type", "lora"), keys.take("quantization_bit")
    adapter = keys.take_adapter(four_bits=bits == 4)
    keys.settings["tuning"] = "full" if kind == "full" else adapter
    if kind not in ("lora", "full"):
        keys.leave("finetuning_type", kind, "ftbridge trains LoRA, and all weights")
    if bits not in (None, 4):
        keys.leave("quantization_bit", bits, "ftbridge quantises a base to four bits alone")
    keys.expect("lora_target", ("all",), "ftbridge adapts all linear layers")


TRAINER = Trainer(
    name="llama-factory",
    checked_with="llamafactory 0.9.5",
    install="pip install llamafactory",
    command=command,
    carries=frozenset({*KEYS, *ALL_CARRY, "precision", "eval_interval"}),
    converter=LlamaFactoryRows,
    config=config,
    companions=companions,
    notes=notes,
    recognises=recognises,
    read=read,
    aside=ASIDE,
)
