"""The archive of weights of a finished job at mocked Together."""

from __future__ import annotations

import io
import tarfile
from typing import Any

from ftbridge.mock.weights import adapter_files, model_files


def weights_archive(model: str, training_type: dict[str, Any], seed: str) -> bytes:
    """A `.tar.zst` with an adapter, or, after full training, with all weights; the same each time."""
    import zstandard

    if training_type["type"] == "Full":
        files = model_files(model, seed=seed)
    else:
        files = adapter_files(
            model,
            rank=training_type["lora_r"],
            alpha=training_type["lora_alpha"],
            dropout=training_type.get("lora_dropout", 0.0),
            seed=seed,
        )
    compressed: bytes = zstandard.ZstdCompressor(write_checksum=True).compress(_tar(files))
    return compressed


def _tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()
