"""Counting by Mistral's own vocabulary, which the package mistral-common carries: nothing is downloaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import msgspec
from msgspec import Struct

from ftbridge.dataset import TextCounter

_SENTENCEPIECE = ("mistral-7b", "mixtral", "mistral-tiny", "mistral-large-2407")
_FILE = "data/tekken_240718.json"  # the vocabulary of open-mistral-nemo, mistral-common 1.13.1


class _Config(Struct):
    pattern: str
    default_vocab_size: int
    default_num_special_tokens: int


class _Word(Struct):
    rank: int
    token_bytes: bytes


class _Vocabulary(Struct):
    config: _Config
    vocab: list[_Word]


def tekken(model: str) -> TextCounter | None:
    """Tekken, for the models that use it (mistral-common's own table of models, 1.13.1); else, or without it, None.

    What stands around each message is taken as four tokens, which is right to a few in a hundred.
    """
    package = None if any(name in model for name in _SENTENCEPIECE) else find_spec("mistral_common")
    file = Path(*package.submodule_search_locations or ()) / _FILE if package else None
    if file is None or not file.exists():
        return None
    import tiktoken

    # Only these fields are read, and by no class of mistral-common's: its tokenizer takes 1.5 s to load, this 0.3.
    known = msgspec.json.decode(file.read_bytes(), type=_Vocabulary)
    size = known.config.default_vocab_size - known.config.default_num_special_tokens
    ranks = {word.token_bytes: word.rank for word in known.vocab[:size]}
    encoding = tiktoken.Encoding("tekken", pat_str=known.config.pattern, mergeable_ranks=ranks, special_tokens={})
    return TextCounter("tekken", lambda text: len(encoding.encode_ordinary(text)), error=0.02)
