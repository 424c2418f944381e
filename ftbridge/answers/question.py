"""What is asked, and the hashes by which its answer is found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ftbridge.dataset.canonical.example import Chat
from ftbridge.provider.completions import chat_body


def question_hash(chat: Chat) -> str:
    """Equal for chats that are the same request: weights and reasoning, which are not sent, do not count."""
    return hashlib.sha256(msgspec.json.encode(chat_body(chat, {}))).hexdigest()


def variant_hash(model: str, options: Mapping[str, Any], sample: int) -> str:
    """Equal for the same options and number of the sample and, for a model in a folder, the same content of it."""
    folder = Path(model)
    content = _content_hash(folder) if folder.is_absolute() and folder.is_dir() else ""
    return hashlib.sha256(json.dumps([content, sample, options], sort_keys=True).encode()).hexdigest()


def _content_hash(folder: Path) -> str:
    """Over the names and contents of its files: another adapter may have come to lie in the same folder."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(folder)}\n{content}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()
