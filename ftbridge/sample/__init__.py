"""The sample dataset: support tickets in, strict JSON out; written for ftbridge."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class SampleFiles(NamedTuple):
    """Canonical chats; no ticket of one file is in another."""

    train: Path
    validation: Path
    heldout: Path


def sample_files() -> SampleFiles:
    """Where the three files of the sample are."""
    folder = Path(__file__).parent
    return SampleFiles(*(folder / f"support_{part}.jsonl" for part in SampleFiles._fields))
