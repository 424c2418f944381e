"""The archive that mocked Together gives for a finished job: tiny, but weights in their real form."""

from __future__ import annotations

import io
import json
import random
import struct
import tarfile
from typing import Any

_WIDTH = 64


def weights_archive(model: str, training_type: dict[str, Any], seed: str) -> bytes:
    """A `.tar.zst` with an adapter as peft keeps it, or, after full training, with all weights; the same each time."""
    import zstandard

    noise = random.Random(seed)  # noqa: S311 - stand-ins for weights, no secret
    if training_type["type"] == "Full":
        files = {
            "config.json": json.dumps({"model_type": "mock", "_name_or_path": model}).encode(),
            "model.safetensors": _safetensors({"model.embed_tokens.weight": (_WIDTH, _WIDTH)}, noise),
        }
    else:
        rank, module = training_type["lora_r"], "base_model.model.model.layers.0.self_attn.q_proj"
        config = {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": model,
            "r": rank,
            "lora_alpha": training_type["lora_alpha"],
            "lora_dropout": training_type.get("lora_dropout", 0.0),
            "target_modules": ["q_proj"],
        }
        shapes = {f"{module}.lora_A.weight": (rank, _WIDTH), f"{module}.lora_B.weight": (_WIDTH, rank)}
        files = {
            "adapter_config.json": json.dumps(config).encode(),
            "adapter_model.safetensors": _safetensors(shapes, noise),
        }
    packed: bytes = zstandard.ZstdCompressor(write_checksum=True).compress(_tar(files))
    return packed


def _safetensors(shapes: dict[str, tuple[int, int]], noise: random.Random) -> bytes:
    """Tensors in the safetensors format: the header's length, the header, the numbers."""
    header: dict[str, Any] = {}
    numbers = b""
    for name, (rows, columns) in shapes.items():
        values = [noise.gauss(0, 0.02) for _number in range(rows * columns)]
        start = len(numbers)
        numbers += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [rows, columns], "data_offsets": [start, len(numbers)]}
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + numbers


def _tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()
