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
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    CHAT_TEMPLATE,
    "tokenizer.model",
)
COMPANIONS = ("*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt")
"""Patterns of the files beside the weights; tokenizer.model is what llama.cpp's converter reads of some families."""


class Source(NamedTuple):
    """A model's parts: the `base` folder, the `name` by which adapters refer to it, and the folder of an `adapter`.

    `own_tokenizer` is the folder of a tokenizer that the adapter brings along.
    """

    name: str
    base: Path
    adapter: Path | None = None
    own_tokenizer: Path | None = None

    @property
    def tokenizer(self) -> Path:
        """The folder of the model's tokenizer and chat template."""
        return self.own_tokenizer or self.base


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


def copy_companions(source: Source, folder: Path, end_ids: Sequence[int]) -> None:
    """Copy the files that accompany weights and config: tokenizer, templates, and how to generate, up to `end_ids`."""
    for file in (file for pattern in COMPANIONS for file in source.base.glob(pattern)):
        if file.name not in ("config.json", *TOKENIZER_FILES) and not file.name.endswith(".index.json"):
            shutil.copyfile(file, folder / file.name)
    copy_tokenizer(source, folder)
    model = read_object(source.base / "config.json")
    known = {name: model[name] for name in ("bos_token_id", "pad_token_id") if model.get(name) is not None}
    ends = end_ids[0] if len(end_ids) == 1 else list(end_ids)
    generation = {**known, **read_object(source.base / _GENERATION), "eos_token_id": ends}
    write(folder / _GENERATION, _json(generation))


def copy_tokenizer(source: Source, folder: Path) -> None:
    """Copy the tokenizer and the chat templates, which servers of adapters look for beside the adapter."""
    for name in TOKENIZER_FILES:
        if (source.tokenizer / name).is_file():
            shutil.copyfile(source.tokenizer / name, folder / name)
    if (source.tokenizer / ADDITIONAL).is_dir():  # in one file: a result has no folders
        config = read_object(source.tokenizer / "tokenizer_config.json")
        named = template_sources(source.tokenizer, config).items()
        templates = [{"name": name, "template": text} for name, text in named]
        (folder / CHAT_TEMPLATE).unlink(missing_ok=True)
        write(folder / "tokenizer_config.json", _json({**config, "chat_template": templates}))


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode()
