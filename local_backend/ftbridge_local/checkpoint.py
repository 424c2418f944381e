"""Checkpoints: what training goes on from, to the last bit.

Each is a folder `step-000050` with the adapter, as peft writes it, and state.pt: the optimizer, and the state of
every source of chance. It is written beside, brought to disk and renamed, so that one that is there is whole. The
place in the data needs no keeping: the order of the rows follows from the seed, the place from the step.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ftbridge.files import whole_folder
from ftbridge_local.model import Model

_KEPT = 2


def save(folder: Path, step: int, model: Model, optimizer: torch.optim.Optimizer) -> None:
    """Write the checkpoint of `step` finished steps; then let go of old ones, and of what a crash left half done."""
    folder.mkdir(exist_ok=True)
    with whole_folder(folder / f"step-{step:06}") as beside:
        save_adapter(model, beside)
        torch.save({"step": step, "optimizer": optimizer.state_dict(), "chance": _chance()}, beside / "state.pt")
    for old in [*sorted(folder.glob("step-*"))[:-_KEPT], *folder.glob(".new-*")]:
        shutil.rmtree(old)


def save_adapter(model: Model, folder: Path) -> None:
    """The adapter as peft writes it: adapter_config.json and adapter_model.safetensors."""
    model.save_pretrained(folder, save_embedding_layers=False)


def newest(folder: Path) -> Path | None:
    """The folder of the newest checkpoint, if there is one."""
    return max(folder.glob("step-*"), default=None)


def restore(checkpoint: Path, optimizer: torch.optim.Optimizer) -> int:
    """Put the optimizer and chance back to where they were; the number of steps that were finished."""
    state: dict[str, Any] = torch.load(checkpoint / "state.pt", weights_only=True)
    optimizer.load_state_dict(state["optimizer"])
    python, numpy, chance = (state["chance"][name] for name in ("python", "numpy", "torch"))
    random.setstate(python)
    np.random.set_state((numpy[0], np.array(numpy[1], dtype=np.uint32), *numpy[2:]))
    torch.set_rng_state(chance)
    return int(state["step"])


def _chance() -> dict[str, Any]:
    name, keys, *rest = np.random.get_state()
    numpy = (name, np.asarray(keys).tolist(), *rest)  # a list, since arrays would need pickle's full powers to read
    return {"python": random.getstate(), "numpy": numpy, "torch": torch.get_rng_state()}
