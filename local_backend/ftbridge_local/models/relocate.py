"""What was trained on another machine, made to name its base as it is found on this one."""

from __future__ import annotations

import json
from pathlib import Path

from ftbridge.files import write
from ftbridge_local.job_folder import MODEL, JobFolder
from ftbridge_local.model_files import read_object
from ftbridge_local.models.source import ADAPTER_CONFIG
from ftbridge_local.models.tiny import base as tiny


def name_base_here(folder: Path, job: JobFolder, home: Path) -> None:
    """Replace a path of the other machine in the config and the card of an adapter of `job`.

    `tiny` is that of this home, and a base that was sent along is what the job's folder here leads to. A name at the
    hub stays as it is.
    """
    if not (folder / ADAPTER_CONFIG).exists():
        return
    there = str(read_object(folder / ADAPTER_CONFIG).get("base_model_name_or_path"))
    bases = {tiny.FOLDER: home / "local" / "bases" / tiny.FOLDER, MODEL: job.path / MODEL}
    here = bases.get(Path(there).name) if Path(there).is_absolute() else None
    for name, as_written in ((ADAPTER_CONFIG, json.dumps), ("README.md", str)):
        if here and (folder / name).exists():
            text = (folder / name).read_text("utf-8")
            write(folder / name, text.replace(as_written(there), as_written(str(here))).encode())
