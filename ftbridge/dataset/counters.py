"""Ways of counting tokens that need no network: nothing is ever downloaded."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from ftbridge.dataset.example import Chat, Example, Preference
from ftbridge.dataset.printable import printable
from ftbridge.dataset.texts import texts
from ftbridge.errors import InputError, MissingExtra

O200K_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
_O200K_URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"

# How o200k_base cuts text into pieces before it merges bytes; published with the vocabulary (tiktoken, MIT).
_O200K_PIECES = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)


class TextCounter:
    """Counts the texts and tools of an example, and `per_message` more for what a template puts around each message.

    Images are not counted: each vendor has a rule of its own.
    """

    def __init__(self, name: str, length: Callable[[str], int], *, error: float = 0.0, per_message: int = 4) -> None:
        self.name = name
        self.error = error
        self._length = length
        self._per_message = per_message

    def count(self, example: Example) -> int:
        """The tokens of every text, and of the template."""
        chat = example.input if isinstance(example, Preference) else example
        tokens = sum(self._length(text) for text in texts(example))
        if isinstance(chat, Chat):
            tokens += self._per_message * (len(chat.messages) + (2 if chat is not example else 0))
            if chat.tools is not None:
                tokens += self._length(msgspec.json.encode(chat.tools).decode())
        return tokens


def guess() -> TextCounter:
    """Four bytes to the token. A label for when nothing better is at hand: it may be off by a third."""
    return TextCounter("a guess of four bytes per token", lambda text: -(-len(text.encode()) // 4), error=0.35)


def o200k(vocabulary: Path | None = None, *, sha256: str = O200K_SHA256) -> TextCounter | None:
    """The vocabulary of OpenAI's models since gpt-4o, from `vocabulary` or the folder TIKTOKEN_CACHE_DIR.

    None where neither is given or the folder does not hold it. Raises `InputError` for a file
    that cannot be read or is not that vocabulary, and `MissingExtra` without tiktoken.
    """
    path = vocabulary or _cached()
    if path is None:
        return None
    data = _bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(
            f"{printable(str(path), 200)} is not o200k_base.tiktoken: its SHA-256 differs",
            hint=f"Fetch {_O200K_URL} once, where you are online.",
        )
    try:
        import tiktoken
    except ImportError:
        raise MissingExtra(
            "counting by o200k needs the package tiktoken", hint="pip install 'ftbridge[tokens]'."
        ) from None
    pairs = (line.split() for line in data.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    encoding = tiktoken.Encoding("o200k_base", pat_str=_O200K_PIECES, mergeable_ranks=ranks, special_tokens={})
    return TextCounter("o200k_base", lambda text: len(encoding.encode_ordinary(text)), per_message=3)


def tokenizer_json(path: Path) -> TextCounter:
    """A Hugging Face tokenizer.json. Raises `InputError` where it cannot be read, `MissingExtra` without tokenizers."""
    data = _bytes(path)
    try:
        import tokenizers
    except ImportError:
        raise MissingExtra(
            "reading tokenizer.json needs the package tokenizers", hint="pip install 'ftbridge[local]'."
        ) from None
    try:
        tokenizer = tokenizers.Tokenizer.from_buffer(data)
    except Exception as problem:  # tokenizers raises nothing more particular
        shown = printable(str(problem), 200)
        raise InputError(
            f"{printable(str(path), 200)} is no tokenizer: {shown}", hint="Give the model's own tokenizer.json."
        ) from None
    return TextCounter(path.name, lambda text: len(tokenizer.encode(text, add_special_tokens=False)))


def _cached() -> Path | None:
    folder = os.environ.get("TIKTOKEN_CACHE_DIR")
    if not folder:
        return None
    path = Path(folder) / hashlib.sha1(_O200K_URL.encode(), usedforsecurity=False).hexdigest()
    return path if path.exists() else None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"{printable(str(path), 200)} cannot be read: {reason}", hint="Check the path.") from None
