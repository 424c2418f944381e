"""The folders that a model is read from, and what can be learned of them without torch."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ftbridge.files import write
from ftbridge_local.model_files import read_object, understood
from ftbridge_local.tokenizing.template_files import ADDITIONAL, CHAT_TEMPLATE, template_sources

ADAPTER_CONFIG = "adapter_config.json"
_GENERATION = "generation_config.json"


class Source(NamedTuple):
    """A model's parts: the `base` folder, the `name` by which adapters refer to it, and the folder of an `adapter`."""

    name: str
    base: Path
    adapter: Path | None = None


def parameters(source: Source) -> int:
    """The number of parameters of the base, by the headers of its safetensors files; a tied tensor counts once."""
    return sum(math.prod(shape) for shape in shapes(source.base).values())


def shapes(folder: Path) -> dict[str, list[int]]:
    """The shape of every tensor in the folder's safetensors files. Raises `ModelNotFound` for a broken file."""
    from safetensors import safe_open

    found: dict[str, list[int]] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with understood(folder, f"its {file.name} is broken"):
            weights: Any = safe_open(file, framework="numpy")  # it has no types
            found |= {name: weights.get_slice(name).get_shape() for name in weights.keys()}  # noqa: SIM118 - no mapping
    return found


def copy_companions(base: Path, folder: Path, end_ids: Sequence[int]) -> None:
    """Copy the files that accompany weights and config: tokenizer, templates, and how to generate, up to `end_ids`."""
    for file in [*base.glob("*.json"), *base.glob("*.jinja"), *base.glob("tokenizer.model")]:
        if file.name != "config.json" and not file.name.endswith(".index.json"):
            shutil.copyfile(file, folder / file.name)
    config = read_object(base / "tokenizer_config.json")
    if (base / ADDITIONAL).is_dir():  # in one file, as transformers also takes them: a result has no folders
        templates = [{"name": name, "template": text} for name, text in template_sources(base, config).items()]
        (folder / CHAT_TEMPLATE).unlink(missing_ok=True)
        write(folder / "tokenizer_config.json", _json({**config, "chat_template": templates}))
    model = read_object(base / "config.json")
    known = {name: model[name] for name in ("bos_token_id", "pad_token_id") if model.get(name) is not None}
    ends = end_ids[0] if len(end_ids) == 1 else list(end_ids)
    generation = {**known, **read_object(base / _GENERATION), "eos_token_id": ends}
    write(folder / _GENERATION, _json(generation))


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode()
