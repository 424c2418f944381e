"""Small models of random weights in the families that GGUF files are written of, and ways to cut a text."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
import transformers as _transformers

from ftbridge_local.models.tiny import base as tiny

transformers: Any = _transformers  # half of its functions have no types

_SHAPE: dict[str, Any] = {
    "vocab_size": 1024,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": None,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
_LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
MODELS: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", "rope_parameters": {"rope_type": "default", "rope_theta": 5000.0}},
    "llama-biased": {"model_type": "llama", "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
    "llama3-rope": {"model_type": "llama", "rope_parameters": _LLAMA3_ROPE},
    "mistral": {"model_type": "mistral", "head_dim": 32, "sliding_window": None, "rms_norm_eps": 1e-5},
    "qwen2": {"model_type": "qwen2"},
    "qwen3": {"model_type": "qwen3", "head_dim": 32, "tie_word_embeddings": True},
}

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _bytes(*, use_regex: bool) -> dict[str, Any]:
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def _split(pattern: str) -> dict[str, Any]:
    step = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [step, _bytes(use_regex=False)]}


CUTS: dict[str, dict[str, Any]] = {
    "gpt-2": {"pre_tokenizer": _bytes(use_regex=True)},
    "smollm": {
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, _bytes(use_regex=True)],
        }
    },
    "llama-bpe": {"pre_tokenizer": _split(_WORDS + r"|\p{N}{1,3}" + _REST), "ignore_merges": True},
    "qwen2": {"pre_tokenizer": _split(_WORDS + r"|\p{N}" + _REST), "normalizer": {"type": "NFC"}},
    "tekken": {"pre_tokenizer": _split(_TEKKEN), "ignore_merges": True},
}


def make_model(folder: Path, dtype: str = "float32", **config: Any) -> Path:
    """A model of that config with the tiny base's tokenizer, every weight of it random."""
    tokenizer = tiny.tokenizer_folder(folder.parent / "home")
    shutil.copytree(tokenizer, folder)
    made = transformers.AutoModelForCausalLM.from_config(
        transformers.AutoConfig.for_model(**{"tie_word_embeddings": False} | _SHAPE | config)
    )
    drawn = torch.Generator().manual_seed(7)
    for weight in made.parameters():
        torch.nn.init.normal_(weight, mean=1.0 if weight.ndim == 1 else 0.0, std=0.2, generator=drawn)
    made.to(getattr(torch, dtype)).save_pretrained(folder)
    return folder


def cut_as(folder: Path, how: dict[str, Any]) -> None:
    """Change how the tokenizer in `folder` works, and leave its tokens as they are."""
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text("utf-8"))
    content["model"]["ignore_merges"] = how.get("ignore_merges", False)
    content |= {name: how[name] for name in ("pre_tokenizer", "normalizer") if name in how}
    file.write_text(json.dumps(content), "utf-8")
