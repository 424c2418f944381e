"""Model folders that were not written here: nothing in them may run code when it is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ftbridge.errors import ModelNotFound
from ftbridge.foreign.names import is_pickle, member_parts
from ftbridge.wording import printable

ADAPTER_WEIGHTS = "adapter_model.safetensors"
_INDEX = "model.safetensors.index.json"


def check_folder(model: str, folder: Path) -> None:
    """Raises `ModelNotFound` where there is a pickle in the folder, even beside safetensors."""
    for file in sorted(folder.iterdir()):
        if is_pickle(file.name):
            raise ModelNotFound(
                f"{model} holds {printable(file.name)}, a pickle, which can run code when it is loaded",
                hint="Move it to another folder: the safetensors are all that is needed.",
            )


def check_adapter(model: str, folder: Path) -> None:
    """Raises `ModelNotFound` where the adapter has no safetensors under the name that peft looks for first."""
    if not (folder / ADAPTER_WEIGHTS).is_file():
        raise ModelNotFound(f"{model} has no {ADAPTER_WEIGHTS}", hint="peft writes it: save_pretrained(…).")


def check_index(model: str, folder: Path) -> None:
    """Raises `ModelNotFound` where the list of the weights' files names others than safetensors of this folder."""
    if not (folder / _INDEX).is_file():
        return
    try:
        index: Any = json.loads((folder / _INDEX).read_bytes())
        names = {str(name) for name in index["weight_map"].values()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelNotFound(f"{model}: {_INDEX} is not a list of files", hint="Download the model again.") from None
    for name in sorted(names):
        if not _is_safe(name):
            raise ModelNotFound(
                f"{model}: {_INDEX} names {printable(name)}, which is not a safetensors file of its folder",
                hint="Do not use this model unless you trust who made it; download it again.",
            )


def _is_safe(name: str) -> bool:
    try:
        return len(member_parts(name)) == 1 and name.endswith(".safetensors")
    except ValueError:
        return False
