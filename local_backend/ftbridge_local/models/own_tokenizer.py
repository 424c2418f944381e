"""The tokenizer and chat template that an adapter brings along, where they are not those of its base.

Whoever trained it may have added tokens, or another template, and saved both beside the adapter, as TRL and others do.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import xxhash

from ftbridge.files import make_folder, whole_folder
from ftbridge_local.model_files import read_object
from ftbridge_local.models.source import TOKENIZER_FILES
from ftbridge_local.tokenizing.template_files import CHAT_TEMPLATE

_OF_MODEL = ("config.json", "generation_config.json")


def own_tokenizer(adapter: Path, base: Path, home: Path) -> Path | None:
    """A folder with the adapter's tokenizer and what it lacks from its base; None where it has nothing of its own."""
    own = [adapter / name for name in TOKENIZER_FILES if (adapter / name).is_file()]
    if all(_same(file, base / file.name) for file in own):
        return None
    digest = xxhash.xxh3_128()
    for file in [*own, *(base / name for name in (*TOKENIZER_FILES, *_OF_MODEL))]:
        digest.update(f"{file.name}\0".encode() + (file.read_bytes() if file.is_file() else b""))
    folder = home.absolute() / "local" / "tokenizers" / digest.hexdigest()
    if not folder.exists():
        make_folder(folder.parent)
        with whole_folder(folder) as temporary:
            _fill(temporary, own, base)
    return folder


def _fill(folder: Path, own: list[Path], base: Path) -> None:
    names = {file.name for file in own}
    whole = "tokenizer.json" in names  # else it changes a part of its base's tokenizer, such as the template
    from_base = _OF_MODEL if whole and "tokenizer_config.json" in names else (*TOKENIZER_FILES, *_OF_MODEL)
    for file in (base / name for name in from_base):
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    for file in own:
        shutil.copyfile(file, folder / file.name)
    has_template = bool(read_object(folder / "tokenizer_config.json").get("chat_template"))
    if CHAT_TEMPLATE not in names and has_template and "tokenizer_config.json" in names:
        (folder / CHAT_TEMPLATE).unlink(missing_ok=True)  # which would win over the adapter's
    elif not has_template and not (folder / CHAT_TEMPLATE).exists():
        _copy_template(base, folder)


def _copy_template(base: Path, folder: Path) -> None:
    if (base / CHAT_TEMPLATE).is_file():
        shutil.copyfile(base / CHAT_TEMPLATE, folder / CHAT_TEMPLATE)
    elif template := read_object(base / "tokenizer_config.json").get("chat_template"):
        config = read_object(folder / "tokenizer_config.json") | {"chat_template": template}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False), "utf-8")


def _same(file: Path, other: Path) -> bool:
    return other.is_file() and file.read_bytes() == other.read_bytes()
