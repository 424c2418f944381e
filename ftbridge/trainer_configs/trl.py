"""TRL: `trl sft` and `trl dpo` with a config in YAML.

Chats become prompt and completion, of which TRL trains the completion alone, with any chat template: its
`assistant_only_loss` needs a template with generation marks, which few models have. So there is one row an answer.
Tools are a text, as TRL reads them too, since Arrow would merge the schemas of all rows. `warmup_ratio` is gone
from transformers 5.23, so the warm-up is a number of steps.
Sources: TRL 1.16.0, its configs, `TrlParser`, and "Dataset formats and types"; read 2026-11-30.
"""

from __future__ import annotations

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
    report_chat,
    single_outputs,
    trained_answers,
)
from ftbridge.trainer_configs.rows import Rows
from ftbridge.trainer_configs.trainer import ALL_CARRY, CONFIG, Config, Plan, Trainer

KEYS = {
    "epochs": "num_train_epochs",
    "learning_rate": "learning_rate",
    "weight_decay": "weight_decay",
    "seed": "seed",
    "lora_rank": "lora_r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "max_seq_length": "max_length",
    "beta": "beta",
}
ASIDE = training_arguments.ASIDE | {
    *("hub_private_repo", "trackio_space_id", "use_liger_kernel", "dataset_num_proc", "model_revision"),
    *("num_processes", "bnb_4bit_quant_type"),
    "use_bnb_nested_quant",
}
_FOLDER = "data"


class TrlRows(Rows):
    """Prompt and completion, prompt and two answers, or texts."""

    target = "trl"

    def chat(self, chat: Chat, diagnostics: Diagnostics) -> msgspec.Raw:
        """A row for each answer that is trained."""
        report_chat(chat, diagnostics)
        messages = [_with_arguments(one) for one in plain_messages(chat.messages, "$.messages", diagnostics)]
        answers = trained_answers(chat.messages)
        if len(answers) > 1:
            diagnostics.changed("one_row_per_answer")
        tools = _tools(chat)
        return as_lines({"prompt": messages[:at], "completion": [messages[at]], **tools} for at in answers)

    def preference(self, example: Preference, diagnostics: Diagnostics) -> Plain:
        """The prompt and both answers."""
        report_chat(example.input, diagnostics)
        messages = plain_messages(example.input.messages, "$.input.messages", diagnostics)
        chosen, rejected = single_outputs(example, "TRL", diagnostics)
        return {
            "prompt": [_with_arguments(one) for one in messages],
            "chosen": [_with_arguments(chosen)],
            "rejected": [_with_arguments(rejected)],
            **_tools(example.input),
        }


def _tools(chat: Chat) -> Plain:
    return {"tools": msgspec.json.encode(plain_tools(chat.tools)).decode()} if chat.tools else {}


def _with_arguments(message: Plain) -> Plain:
    """The message with the arguments of its calls as objects, which most templates write as JSON themselves."""
    for call in message.get("tool_calls", ()):
        call["function"]["arguments"] = msgspec.json.decode(call["function"]["arguments"])
    return message


def command(plan: Plan) -> str:
    """What to run in the folder."""
    return f"trl {plan.method} --config {CONFIG}"


def config(plan: Plan) -> Config:
    """The whole config."""
    adapter = plan.tuning != "full"
    precision = plan.settings.get("precision")
    return {
        "model_name_or_path": plan.model,
        **({"dtype": precision} if precision else {}),
        **_data(plan),
        **({"use_peft": True, "lora_target_modules": "all-linear"} if adapter else {}),
        **plan.peft_flags,
        **({"load_in_4bit": True, "use_bnb_nested_quant": True} if plan.tuning == "qlora" else {}),
        **plan.named(KEYS),
        **training_arguments.written(plan),
        "output_dir": "output",
    }


def _data(plan: Plan) -> Config:
    """The folder, in which the files are splits by their names: `datasets` in a config have no validation file."""
    found: Config = {"dataset_name": _FOLDER, "dataset_train_split": "train"}
    if not plan.validation:
        return found
    return {**found, "dataset_test_split": "validation", **training_arguments.evaluated(plan)}


def notes(plan: Plan) -> list[str]:
    """What is different there."""
    if plan.rows.shape == "text" or plan.method is Method.DPO:
        return []
    return ["TRL trains what a template writes after the end of an answer too, such as the line end of ChatML"]


def recognises(found: Config) -> bool:
    """TRL's names for the model with those of its data or its adapter."""
    own = ("datasets", "dataset_name", "use_peft", "max_length", "assistant_only_loss", "completion_only_loss")
    return "model_name_or_path" in found and any(key in found for key in own)


def read(keys: ConfigKeys) -> None:
    """What ftbridge has a word for."""
    keys.model = keys.take("model_name_or_path")
    keys.method = Method.DPO if keys.left.keys() & {"beta", "loss_type", "precompute_ref_log_probs"} else Method.SFT
    keys.expect("loss_type", ("sigmoid", ["sigmoid"], "nll"), "ftbridge has the losses nll and sigmoid")
    _read_data(keys)
    _read_tuning(keys)
    keys.take_settings(KEYS)
    if (dtype := keys.take("dtype", keys.take("torch_dtype"))) in ("float32", "bfloat16"):
        keys.settings["precision"] = dtype
    training_arguments.read_steps(keys)
    training_arguments.read_schedule(keys)
    keys.expect("assistant_only_loss", (True,), "ftbridge trains the assistant's answers alone")
    keys.expect("completion_only_loss", (True,), "ftbridge trains the assistant's answers alone")
    keys.expect("packing", (False,), "ftbridge lays rows end to end, and none sees another")
    keys.expect("max_grad_norm", (1.0,), "ftbridge clips gradients at 1")


def _read_data(keys: ConfigKeys) -> None:
    for entry in keys.take("datasets", []):
        file = entry.get("data_files") if entry.get("path") == "json" else None
        if isinstance(file, str) and keys.data is None:
            keys.data = file
        else:
            keys.leave("datasets", entry, "a job reads one file: download it, or join several to one")
    splits = keys.take("dataset_train_split", "train"), keys.take("dataset_test_split")
    name = keys.take("dataset_name")
    if name and (keys.folder / name).is_dir():
        keys.data, keys.validation = (f"{name}/{split}.jsonl" if split else None for split in splits)
    elif name:
        keys.leave("dataset_name", name, "a job reads a file: download the dataset as JSON Lines")


def _read_tuning(keys: ConfigKeys) -> None:
    adapter, four_bits = keys.take("use_peft", False), keys.take("load_in_4bit", False)
    kind = keys.take_adapter(four_bits=four_bits)
    keys.settings["tuning"] = kind if adapter else "full"
    if adapter:
        if "lora_target_modules" not in keys.left:
            keys.left["lora_target_modules"] = "PEFT's choice"
        keys.expect("lora_target_modules", ("all-linear",), "ftbridge adapts all linear layers")


TRAINER = Trainer(
    name="trl",
    checked_with="trl 1.16.0",
    install="pip install 'trl[peft]'",
    command=command,
    carries=frozenset({*KEYS, *ALL_CARRY, "precision", "eval_interval"}),
    converter=TrlRows,
    config=config,
    notes=notes,
    recognises=recognises,
    read=read,
    aside=ASIDE,
    folder=_FOLDER,
)
