"""The tokenizer and chat template that an adapter brings along, where they are not those of its base.

Whoever trained it may have added tokens, or another template, and saved both beside the adapter, as TRL and others do.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import xxhash

from ftbridge.files import make_folder, whole_folder
from ftbridge_local.model_files import read_object
from ftbridge_local.models.source import TOKENIZER_FILES
from ftbridge_local.tokenizing.template_files import CHAT_TEMPLATE, template_files

_OF_MODEL = ("config.json", "generation_config.json")
_WITHOUT_TEMPLATES = tuple(name for name in TOKENIZER_FILES if name != CHAT_TEMPLATE)


def own_tokenizer(adapter: Path, base: Path, home: Path) -> Path | None:
    """A folder with the adapter's tokenizer and what it lacks from its base; None where it has nothing of its own."""
    own = _files(adapter)
    if all(_same(adapter / name, base / name) for name in own):
        return None
    digest = xxhash.xxh3_128()
    for folder, names in ((adapter, own), (base, [*_files(base), *_OF_MODEL])):
        for name in names:
            content = (folder / name).read_bytes() if (folder / name).is_file() else b""
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    folder = home.absolute() / "local" / "tokenizers" / digest.hexdigest()
    if not folder.exists():
        make_folder(folder.parent)
        with whole_folder(folder) as temporary:
            _fill(temporary, adapter, base)
    return folder


def _files(folder: Path) -> list[str]:
    """The files of its tokenizer and of all its chat templates, by their paths in the folder."""
    templates = [str(file.relative_to(folder)) for file in template_files(folder)]
    return [*(name for name in _WITHOUT_TEMPLATES if (folder / name).is_file()), *templates]


def _fill(folder: Path, adapter: Path, base: Path) -> None:
    names = set(_files(adapter))
    whole = "tokenizer.json" in names  # else it changes a part of its base's tokenizer, such as the template
    from_base = _OF_MODEL if whole and "tokenizer_config.json" in names else (*_WITHOUT_TEMPLATES, *_OF_MODEL)
    for file in (base / name for name in from_base):
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    for name in names & set(_WITHOUT_TEMPLATES):
        shutil.copyfile(adapter / name, folder / name)
    _copy_templates(adapter if template_files(adapter) or _in_config(adapter) else base, folder)


def _copy_templates(source: Path, folder: Path) -> None:
    """Copy all templates of one folder: those of an adapter and of its base are never mixed."""
    for file in template_files(source):
        copy = folder / file.relative_to(source)
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, copy)
    if not template_files(source) and (template := _in_config(source)) != _in_config(folder):
        config = read_object(folder / "tokenizer_config.json") | {"chat_template": template}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False), "utf-8")


def _in_config(folder: Path) -> Any:
    return read_object(folder / "tokenizer_config.json").get("chat_template") or None


def _same(file: Path, other: Path) -> bool:
    return other.is_file() and file.read_bytes() == other.read_bytes()
