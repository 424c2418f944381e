"""The folders that a model is read from, and what can be learned of them without torch."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import NamedTuple

ADAPTER_CONFIG = "adapter_config.json"


class Source(NamedTuple):
    """A model's parts: the `base` folder, the `name` by which adapters refer to it, and the folder of an `adapter`."""

    name: str
    base: Path
    adapter: Path | None = None


def parameters(source: Source) -> int:
    """The number of parameters of the base, by the headers of its safetensors files; a tied tensor counts once."""
    total = 0
    for file in source.base.glob("*.safetensors"):
        with file.open("rb") as weights:
            header = json.loads(weights.read(int.from_bytes(weights.read(8), "little")))
        total += sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    return total


def copy_companions(base: Path, folder: Path) -> None:
    """Copy the files that accompany weights and config: tokenizer, template, how an answer ends."""
    for file in [*base.glob("*.json"), *base.glob("*.jinja")]:
        if file.name != "config.json" and not file.name.endswith(".index.json"):
            shutil.copyfile(file, folder / file.name)
