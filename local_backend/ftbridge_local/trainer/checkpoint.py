"""Checkpoints: what training goes on from, to the last bit.

Each is a folder `step-000050` with what was trained, as it is saved at the end too, and state.pt: the optimizer, and
how far training had come. It is written beside, brought to disk and renamed, so that one that is there is whole. Chance
and the place in the data need no keeping: both follow from the seed and the step.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ftbridge.files import make_folder, whole_folder
from ftbridge_local.trainer import model as models
from ftbridge_local.trainer.model import Model

STATE = "state.pt"
_KEPT = 2


@dataclass
class Progress:
    """How far training has come: finished steps, tokens read, and the step of the lowest validation loss so far.

    `worse` is how many looks ago that was.
    """

    step: int = 0
    tokens: int = 0
    best_step: int = 0
    best_loss: float | None = None
    worse: int = 0

    def judge(self, loss: float) -> None:
        """Take the validation loss after the current step into account."""
        if self.best_loss is None or loss < self.best_loss:
            self.best_step, self.best_loss, self.worse = self.step, loss, 0
        else:
            self.worse += 1


def save(folder: Path, progress: Progress, model: Model, optimizer: torch.optim.Optimizer) -> None:
    """Write a checkpoint; then let go of old ones but the best, and of what a crash left half done."""
    make_folder(folder)
    with whole_folder(of_step(folder, progress.step)) as beside:
        models.save(model, beside)
        torch.save({"progress": asdict(progress), "optimizer": optimizer.state_dict()}, beside / STATE)
    best = of_step(folder, progress.best_step)
    old = [step for step in sorted(folder.glob("step-*"))[:-_KEPT] if step != best]
    for useless in [*old, *folder.glob(".new-*"), *folder.glob(".old-*")]:
        shutil.rmtree(useless)


def newest(folder: Path) -> Path | None:
    """The folder of the newest checkpoint, if there is one."""
    return max(folder.glob("step-*"), default=None)


def of_step(folder: Path, step: int) -> Path:
    """Where the checkpoint of that step is, if it is kept."""
    return folder / f"step-{step:06}"


def restore(checkpoint: Path, optimizer: torch.optim.Optimizer) -> Progress:
    """Put the optimizer back to where it was; how far training had come."""
    state: dict[str, Any] = torch.load(checkpoint / STATE, weights_only=True)
    optimizer.load_state_dict(state["optimizer"])
    return Progress(**state["progress"])
