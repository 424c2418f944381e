"""The arguments of transformers' `Trainer`, which TRL and LLaMA-Factory have in their configs under the same names.

Source: `TrainingArguments` of transformers 5.23; read 2026-11-30.
"""

from __future__ import annotations

from ftbridge.trainer_configs.config_keys import SCHEDULE, ConfigKeys
from ftbridge.trainer_configs.trainer import Config, Plan

_COSINE = {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr_rate": 0.1}}

ASIDE = frozenset(
    (
        *("output_dir", "overwrite_output_dir", "logging_steps", "logging_strategy", "logging_first_step"),
        *("report_to", "run_name", "disable_tqdm", "log_level", "save_steps", "save_strategy"),
        *("save_total_limit", "save_only_model", "resume_from_checkpoint", "push_to_hub", "hub_model_id"),
        *("hub_strategy", "bf16", "fp16", "tf32", "use_cpu", "torch_compile", "gradient_checkpointing"),
        *("gradient_checkpointing_kwargs", "attn_implementation", "deepspeed", "fsdp", "fsdp_config"),
        *("dataloader_num_workers", "dataloader_pin_memory", "dataloader_drop_last"),
        *("ddp_find_unused_parameters", "ddp_timeout", "per_device_eval_batch_size", "eval_accumulation_steps"),
        *("eval_strategy", "do_train", "do_eval", "trust_remote_code", "include_num_input_tokens_seen"),
    )
)
"""Those that say nothing of what is learned: where to log, how often to save, which kernels to use."""


def written(plan: Plan) -> Config:
    """How a step is divided, and the course of the learning rate."""
    return {
        "per_device_train_batch_size": plan.micro_batch,
        "gradient_accumulation_steps": plan.accumulation,
        "warmup_steps": plan.warmup_steps,
        **_COSINE,
    }


def evaluated(plan: Plan) -> Config:
    """When the validation file is looked at."""
    every = plan.settings.get("eval_interval")
    return {"eval_strategy": "steps", "eval_steps": every} if every else {"eval_strategy": "epoch"}


def read_steps(keys: ConfigKeys) -> None:
    """What `written` and `evaluated` write, but for the course of the learning rate."""
    if (every := keys.take("eval_steps")) and keys.validation:
        keys.settings["eval_interval"] = every
    keys.take_batch("per_device_train_batch_size")
    keys.take_warmup()


def read_schedule(keys: ConfigKeys) -> None:
    """The course of the learning rate."""
    for key, value in _COSINE.items():
        keys.expect(key, (value,), SCHEDULE)
