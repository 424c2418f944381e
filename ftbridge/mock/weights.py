"""Small random weights in the real file formats, the same for the same seed."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

_WIDTH = 64


def adapter_files(model: str, *, rank: int, alpha: float, dropout: float, seed: str) -> dict[str, bytes]:
    """An adapter in peft's files: contents by file name."""
    module = "base_model.model.model.layers.0.self_attn.q_proj"
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": model,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": dropout,
        "target_modules": ["q_proj"],
    }
    shapes = {f"{module}.lora_A.weight": (rank, _WIDTH), f"{module}.lora_B.weight": (_WIDTH, rank)}
    return {
        "adapter_config.json": json.dumps(config).encode(),
        "adapter_model.safetensors": _safetensors(shapes, seed),
    }


def model_files(model: str, *, seed: str) -> dict[str, bytes]:
    """The weights of a model: contents by file name."""
    return {
        "config.json": json.dumps({"model_type": "mock", "_name_or_path": model}).encode(),
        "model.safetensors": _safetensors({"model.embed_tokens.weight": (_WIDTH, _WIDTH)}, seed),
    }


def _safetensors(shapes: dict[str, tuple[int, int]], seed: str) -> bytes:
    """Tensors in the safetensors format: the header's length, the header, the values."""
    noise = random.Random(seed)  # noqa: S311 - weights of a mock, not a secret
    header: dict[str, Any] = {}
    data = b""
    for name, (rows, columns) in shapes.items():
        values = [noise.gauss(0, 0.02) for _index in range(rows * columns)]
        start = len(data)
        data += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [rows, columns], "data_offsets": [start, len(data)]}
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + data
