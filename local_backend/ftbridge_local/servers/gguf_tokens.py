"""The tokenizer in a GGUF file as a Hugging Face folder: tokens, merges, special tokens, chat template, end tokens.

Fields as in ggml-org/ggml, docs/gguf.md. llama.cpp's src/llama-vocab.cpp also knows end tokens by their texts, and adds
an opening token by default for some tokenizers: both lists below are not yet checked against that file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gguf import TokenType

from ftbridge.errors import UsageError
from ftbridge_local.exporting.gguf_tokenizer import pre_tokenizer_named
from ftbridge_local.model_files import reason_of

_ENDS = (
    *("<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>", "<|endoftext|>"),
    *("<|end_of_text|>", "<EOT>", "_<EOT>", "<｜end▁of▁sentence｜>", "<end_of_utterance>"),
)
_OPENED = ("llama-bpe", "llama3", "llama-v3", "tekken")  # pre-tokenizers whose texts are opened unless a field says no


class GgufFields:
    """The fields of a file by their names."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self.architecture = str(fields.get("general.architecture") or "unknown")
        self.file_type = int(fields.get("general.file_type") or 0)
        self.tokens: list[str] = list(fields.get("tokenizer.ggml.tokens") or ())
        self.model, self.pre = self.text("model"), self.text("pre")
        self.template = str(fields.get("tokenizer.chat_template") or "")
        self.bos_id = self._id("bos")
        self.context = int(fields.get(f"{self.architecture}.context_length") or 0)
        adds = fields.get("tokenizer.ggml.add_bos_token")
        by_default = self.model == "llama" or self.pre in _OPENED
        self.adds_bos = self.bos_id is not None and bool(by_default if adds is None else adds)
        named = [self._id(name) for name in ("eos", "eot", "eom")]
        known = [self.tokens.index(text) for text in _ENDS if text in self.tokens]
        self.end_ids = list(dict.fromkeys(token for token in (*named, *known) if token is not None))

    def text(self, name: str) -> str:
        """A field of the tokenizer that is a text."""
        return str(self._fields.get(f"tokenizer.ggml.{name}") or "")

    def list(self, name: str) -> list[Any]:
        """A field of the tokenizer that is a list."""
        return list(self._fields.get(f"tokenizer.ggml.{name}") or ())

    def token(self, name: str) -> str | None:
        """The text of a special token."""
        token = self._id(name)
        return None if token is None else self.tokens[token]

    def _id(self, name: str) -> int | None:
        token = self._fields.get(f"tokenizer.ggml.{name}_token_id")
        return int(token) if token is not None and int(token) < len(self.tokens) else None


def write_tokenizer(fields: GgufFields, file: Path, folder: Path) -> None:
    """Write it into `folder`. Raises `UsageError` where the file has none, or one that cannot be rebuilt."""
    if not fields.tokens:
        raise UsageError(f"{file} has no tokenizer", hint="Convert the model again, with its tokenizer.")
    pre_tokenizer = pre_tokenizer_named(fields.pre) if fields.model == "gpt2" else None
    if pre_tokenizer is None:
        _by_transformers(file, folder)
    else:
        (folder / "tokenizer.json").write_text(json.dumps(_content(fields, *pre_tokenizer)), "utf-8")
    config = {f"{name}_token": text for name in ("bos", "eos") if (text := fields.token(name)) is not None}
    config |= {"chat_template": fields.template} if fields.template else {}
    _write(folder / "tokenizer_config.json", config)
    _write(folder / "config.json", {"max_position_embeddings": fields.context} if fields.context else {})
    _write(folder / "generation_config.json", {"eos_token_id": fields.end_ids} if fields.end_ids else {})


def _content(fields: GgufFields, pre_tokenizer: dict[str, Any], ignore_merges: bool) -> dict[str, Any]:
    """tokenizer.json of a byte-level BPE."""
    added = (TokenType.CONTROL, TokenType.USER_DEFINED)
    types = fields.list("token_type")
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": number, "content": fields.tokens[number], **plain, "special": kind == TokenType.CONTROL}
            for number, kind in enumerate(types)
            if kind in added
        ],
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "vocab": {token: number for number, token in enumerate(fields.tokens)},
            "merges": fields.list("merges"),
            "ignore_merges": ignore_merges,
        },
    }


def _by_transformers(file: Path, folder: Path) -> None:
    """As transformers converts it, for tokenizers of other kinds."""
    import transformers

    try:
        made: Any = transformers.AutoTokenizer.from_pretrained(file.absolute().parent, gguf_file=file.name)
        made.backend_tokenizer.save(str(folder / "tokenizer.json"))
    except Exception as problem:  # it raises what comes first
        raise UsageError(
            f"the tokenizer in {file.name} cannot be rebuilt: {reason_of(problem)}",
            hint="Serve the file, with llama.cpp's llama-server or Ollama, and give --at URL or --ollama NAME.",
        ) from problem


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
