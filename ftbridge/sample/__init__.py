"""The sample dataset: support tickets in, strict JSON out, in the canonical format."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple


class SampleFiles(NamedTuple):
    """Chats to train on, to watch the training by, and to judge it by in the end; no text is in two of them."""

    train: Path
    validation: Path
    heldout: Path


def sample_files() -> SampleFiles:
    """Where the sample's files are."""
    folder = Path(str(files(__name__)))
    return SampleFiles(
        folder / "support_train.jsonl", folder / "support_validation.jsonl", folder / "support_heldout.jsonl"
    )
