"""Checkpoints, from which training continues exactly.

Each is a folder `step-000050` with what was trained, as it is saved at the end too, and state.pt: the optimizer, and
the progress. It is written to a temporary folder, brought to disk and renamed, so that one that is there is complete.
Random numbers and the position in the data need no saving: both follow from the seed and the step.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ftbridge.files import make_folder, whole_folder
from ftbridge_local.models import load
from ftbridge_local.models.load import Model
from ftbridge_local.models.source import Source, copy_tokenizer

STATE = "state.pt"
_RECENT = 2


@dataclass
class Progress:
    """What `row_losses` keeps, finished steps, tokens read, and the step with the lowest validation loss so far."""

    rows: torch.Tensor
    step: int = 0
    tokens: int = 0
    best_step: int = 0
    best_loss: float | None = None
    evaluations_since_best: int = 0

    def record_evaluation(self, loss: float) -> None:
        """Take the validation loss after the current step into account."""
        if self.best_loss is None or loss < self.best_loss:
            self.best_step, self.best_loss, self.evaluations_since_best = self.step, loss, 0
        else:
            self.evaluations_since_best += 1


def save(folder: Path, progress: Progress, model: Model, optimizer: torch.optim.Optimizer, source: Source) -> None:
    """Write a checkpoint; then delete old ones but the best, and what a crash left incomplete."""
    make_folder(folder)
    with whole_folder(of_step(folder, progress.step)) as temporary:
        load.save(model, temporary)
        if source.own_tokenizer:  # else it is found at the base
            copy_tokenizer(source, temporary)
        with (temporary / STATE).open("wb") as file:  # opened here, so that an error is the system's own
            torch.save({"progress": asdict(progress), "optimizer": optimizer.state_dict()}, file)
    best = of_step(folder, progress.best_step)
    old = [step for step in sorted(folder.glob("step-*"))[:-_RECENT] if step != best]
    for useless in [*old, *folder.glob(".new-*"), *folder.glob(".old-*")]:
        shutil.rmtree(useless)


def newest(folder: Path) -> Path | None:
    """The folder of the newest checkpoint, if there is one."""
    return max(folder.glob("step-*"), default=None)


def of_step(folder: Path, step: int) -> Path:
    """The folder of the checkpoint of that step, which may have been deleted."""
    return folder / f"step-{step:06}"


def restore(checkpoint: Path, optimizer: torch.optim.Optimizer) -> Progress:
    """Load the optimizer's state; the progress at that checkpoint."""
    state: dict[str, Any] = torch.load(checkpoint / STATE, weights_only=True)
    optimizer.load_state_dict(state["optimizer"])
    return Progress(**state["progress"])
