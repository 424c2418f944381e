"""Keys of configs that say nothing of what is learned: where to log, how often to save, which kernels to use."""

from __future__ import annotations

OF_TRANSFORMERS = frozenset(
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
"""Those of `TrainingArguments` of transformers 5.23, which TRL and LLaMA-Factory have as well."""
