"""A result that was trained on another machine, made to name its base as it is found on this one."""

from __future__ import annotations

import json
from pathlib import Path

from ftbridge.files import write
from ftbridge_local.model_files import read_object
from ftbridge_local.models.find import base_of
from ftbridge_local.models.source import ADAPTER_CONFIG
from ftbridge_local.models.tiny import base as tiny


def name_base_here(folder: Path, home: Path) -> None:
    """Replace a path of the other machine in an adapter's config and card; a name at the hub stays as it is."""
    if not (folder / ADAPTER_CONFIG).exists():
        return
    there, here = str(read_object(folder / ADAPTER_CONFIG).get("base_model_name_or_path")), base_of(folder)
    if here == tiny.NAME:
        here = str(home / "local" / "bases" / tiny.FOLDER)
    if not Path(there).is_absolute() or here == there:
        return
    for name, as_written in ((ADAPTER_CONFIG, json.dumps), ("README.md", str)):
        if (folder / name).exists():
            text = (folder / name).read_text("utf-8")
            write(folder / name, text.replace(as_written(there), as_written(here)).encode())
