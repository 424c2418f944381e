"""Ways of counting tokens that need no network: nothing is ever downloaded."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

from ftbridge.dataset.canonical.example import Example, ToolDefinition
from ftbridge.dataset.canonical.texts import messages_of, texts, tools_of
from ftbridge.dataset.reading.lines import READ_ERRORS, cannot_read
from ftbridge.dataset.reading.opening import open_file
from ftbridge.errors import InputError, MissingExtra
from ftbridge.wording import printable

O200K_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
_LARGEST = 64 * 2**20  # bytes of a vocabulary; the largest have half of it
_O200K_URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"

# Packages that have it in their wheels (litellm 1.106, llama-index-core 0.14), and the folder in them.
_PACKAGES = {"litellm": "litellm_core_utils/tokenizers", "llama_index": "core/_static/tiktoken_cache"}

# How o200k_base splits text before it merges bytes; published with the vocabulary (tiktoken, MIT).
_O200K_SPLIT = "|".join(
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
    """Counts the texts and tools of an example, plus `per_message` for what a template puts around each message.

    Tools are counted as JSON, and images not at all: each vendor has its own rule.
    """

    images = False

    def __init__(self, name: str, length: Callable[[str], int], *, error: float = 0.0, per_message: int = 4) -> None:
        self.name = name
        self.error = error
        self.length = length
        self._per_message = per_message

    def count(self, example: Example) -> int:
        """The tokens of every text, of the tools, and of the template."""
        return self.count_messages(example) + sum(map(self._tool, tools_of(example)))

    def count_messages(self, example: Example) -> int:
        """The tokens of all but the tools."""
        tokens = sum(map(self.length, texts(example)))
        return tokens + self._per_message * len(messages_of(example))

    def _tool(self, tool: ToolDefinition) -> int:
        return self.length(msgspec.json.encode(tool).decode())


def guess() -> TextCounter:
    """Four bytes per token, for when nothing better is available: it may be off by a third."""
    return TextCounter("a guess of four bytes per token", lambda text: -(-len(text.encode()) // 4), error=0.35)


def o200k(vocabulary: Path | None = None, *, sha256: str = O200K_SHA256) -> TextCounter | None:
    """The vocabulary of OpenAI's models since gpt-4o, from `vocabulary` or from where other programs have stored it.

    These are the cache folders of tiktoken, and the packages that ship it.
    None where none of them has it. Raises `InputError` for a `vocabulary` that cannot be read
    or is a different one, and `MissingExtra` without tiktoken.
    """
    if vocabulary is not None:
        data = _bytes(vocabulary)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise InputError(
                f"{printable(str(vocabulary), 200)} is not o200k_base.tiktoken: its SHA-256 differs",
                hint=f"Download {_O200K_URL}.",
            )
    else:
        contents = (_bytes(path) for path in _vocabulary_paths() if _may_be_vocabulary(path))
        found = next((known for known in contents if hashlib.sha256(known).hexdigest() == sha256), None)
        if found is None:
            return None
        data = found
    try:
        import tiktoken
    except ImportError:
        raise MissingExtra(
            "counting by o200k needs the package tiktoken", hint="pip install 'ftbridge[tokens]'."
        ) from None
    pairs = (line.split() for line in data.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    encoding = tiktoken.Encoding("o200k_base", pat_str=_O200K_SPLIT, mergeable_ranks=ranks, special_tokens={})
    return TextCounter("o200k_base", lambda text: len(encoding.encode_ordinary(text)))


def tokenizer_json(path: Path) -> TextCounter:
    """A Hugging Face tokenizer.json; the model's template, which is not in it, is assumed to add four tokens a message.

    Raises `InputError` where it cannot be read, `MissingExtra` without tokenizers.
    """
    data = _bytes(path)
    try:
        import tokenizers
    except ImportError:
        raise MissingExtra(
            "reading tokenizer.json needs the package tokenizers", hint="pip install 'ftbridge[local]'."
        ) from None
    try:
        tokenizer = tokenizers.Tokenizer.from_buffer(data)
    except Exception as problem:  # tokenizers raises nothing more specific
        reason = printable(str(problem), 200)
        raise InputError(
            f"{printable(str(path), 200)} is not a valid tokenizer: {reason}",
            hint="Give the model's own tokenizer.json.",
        ) from None
    return TextCounter(path.name, lambda text: len(tokenizer.encode(text, add_special_tokens=False)), error=0.02)


def _vocabulary_paths() -> Iterator[Path]:
    """The paths where tiktoken and other packages store the vocabulary, under the name that tiktoken gives it."""
    name = hashlib.sha1(_O200K_URL.encode(), usedforsecurity=False).hexdigest()
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if folder := os.environ.get(variable):
            yield Path(folder, name)
    yield Path(tempfile.gettempdir(), "data-gym-cache", name)
    for package, folder in _PACKAGES.items():
        spec = find_spec(package)
        for root in (spec and spec.submodule_search_locations) or ():
            yield Path(root, folder, name)


def _may_be_vocabulary(path: Path) -> bool:
    """Whether it is a file that others may have put there, of a size that makes sense."""
    return path.is_file() and path.stat().st_size <= _LARGEST


def _bytes(path: Path) -> bytes:
    try:
        with open_file(path) as file:
            data = file.read(_LARGEST + 1)
    except READ_ERRORS as problem:
        raise cannot_read(0, problem) from None
    if len(data) > _LARGEST:
        message = f"{printable(str(path), 200)} is larger than {_LARGEST >> 20} MB, so it is no vocabulary"
        raise InputError(message, hint="Give the model's own tokenizer.json, or o200k_base.tiktoken.")
    return data
