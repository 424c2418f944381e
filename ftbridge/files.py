"""Writing files whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(file: Path, content: bytes) -> None:
    """Write beside `file`, make sure that it is on the disk, and rename: a reader sees the old or the new."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with draft.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(file)
