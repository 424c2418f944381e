"""A byte-level BPE tokenizer as fields of a GGUF file: tokens, their types, merges, special ids, chat template.

llama.cpp knows pre-tokenizers, which split a text before the merges, by name alone (its src/llama-vocab.cpp, 2026-11).
So a tokenizer is written only if its rules are exactly those of such a name. NFC normalization, which Qwen's tokenizers
begin with, is left to the caller of llama.cpp: almost all text is in that form already.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from gguf import GGUFWriter, SpecialVocab, TokenType

from ftbridge.errors import SpecError
from ftbridge_local.tokenizing.template import TemplateError
from ftbridge_local.tokenizing.tokenizer import Tokenizer

_DIGITS = "single digits"
_GPT2 = "GPT-2's pattern"
_SUFFIXES = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_FREE = r"[^\r\n\p{L}\p{N}]?"


class _PreTokenizer(NamedTuple):
    """How texts are split, step by step, and whether a piece that is a token is used whole, without any merges."""

    steps: tuple[str, ...]
    ignore_merges: bool


_NAMES = {
    _PreTokenizer((_GPT2,), False): "gpt-2",
    _PreTokenizer((_DIGITS, _GPT2), False): "smollm",
    _PreTokenizer((rf"{_SUFFIXES}|{_FREE}\p{{L}}+|\p{{N}}{{1,3}}|{_REST}",), True): "llama-bpe",
    _PreTokenizer((rf"{_SUFFIXES}|{_FREE}\p{{L}}+|\p{{N}}|{_REST}",), False): "qwen2",
    _PreTokenizer(
        (
            rf"{_FREE}{_UPPER}*{_LOWER}+|{_FREE}{_UPPER}+{_LOWER}*|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*"
            r"|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        True,
    ): "tekken",
}


def unwritable(why: str) -> SpecError:
    """The error for a model that GGUF cannot hold exactly; `why` is the reason."""
    return SpecError(
        f"this model cannot be written as GGUF here: {why}",
        hint="llama.cpp's own converter may support it: set LLAMA_CPP to llama.cpp's folder; or export as merged.",
    )


def add_tokenizer(writer: GGUFWriter, folder: Path, size: int) -> None:
    """Add the tokenizer in `folder`, for a model of `size` tokens. Raises `SpecError` where that is not exact."""
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    ours = Tokenizer(folder)
    if len(ours.bos_ids) > 1 or len(ours.end_ids) > 3:
        raise unwritable("its tokenizer begins texts with several tokens, or ends answers with more than three")
    tokens, types = _tokens(content, size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_name(content))
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    special = SpecialVocab(folder, load_merges=True, n_vocab=size)
    special.special_token_ids |= dict(zip(("eos", "eot", "eom"), ours.end_ids, strict=False))
    special.special_token_ids |= dict(zip(("bos",), ours.bos_ids, strict=False))
    special.add_special_token = {"bos": bool(ours.bos_ids) and _opens_chats(ours), "eos": False}
    special.add_to_gguf(writer, quiet=True)


def pre_tokenizer_named(name: str) -> tuple[dict[str, Any], bool] | None:
    """The pre-tokenizer that llama.cpp calls `name`, as tokenizer.json has it, and whether merges are ignored."""
    found = next((known for known, called in _NAMES.items() if called == name), None)
    if found is None:
        return None
    to_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    steps: list[dict[str, Any]] = []
    for step in found.steps:
        if step == _GPT2:
            steps.append({**to_bytes, "use_regex": True})
        elif step == _DIGITS:
            steps.append({"type": "Digits", "individual_digits": True})
        else:
            steps.append({"type": "Split", "pattern": {"Regex": step}, "behavior": "Isolated", "invert": False})
    steps += [] if found.steps[-1] == _GPT2 else [to_bytes]
    return {"type": "Sequence", "pretokenizers": steps}, found.ignore_merges


def _opens_chats(ours: Tokenizer) -> bool:
    """Whether the opening token is in the rendering of chats, too: llama.cpp adds it to every text, or to none."""
    try:
        return ours.render([{"role": "user", "content": "Hi."}], answer_next=True).startswith(ours.bos)
    except TemplateError:
        return True


def _tokens(content: dict[str, Any], size: int) -> tuple[list[str], list[TokenType]]:
    """Every token in the order of ids, and its type; ids without a token are filled up."""
    tokens = [f"[PAD{number}]" for number in range(size)]
    types = [TokenType.UNUSED] * size
    known = [(number, token, TokenType.NORMAL) for token, number in content["model"]["vocab"].items()]
    for token in content["added_tokens"]:
        if token["lstrip"] or token["rstrip"] or token["single_word"]:
            raise unwritable(f"its token {token['content']!r} strips the spaces around it, or matches whole words only")
        kind = TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED
        known.append((token["id"], token["content"], kind))
    for number, text, kind in known:
        if number >= size:
            raise unwritable(f"its tokenizer has a token {number}, and the model has {size}")
        tokens[number], types[number] = text, kind
    return tokens, types


def _name(content: dict[str, Any]) -> str:
    """llama.cpp's name for a tokenizer that splits and merges like this one."""
    model, normalizer = content["model"], content["normalizer"]
    unsupported = [
        key for key in ("byte_fallback", "dropout", "continuing_subword_prefix", "end_of_word_suffix") if model.get(key)
    ]
    if model["type"] != "BPE" or unsupported:
        raise unwritable(f"its tokenizer is {model['type']}" + "".join(f" with {key}" for key in unsupported))
    if normalizer is not None and normalizer != {"type": "NFC"}:
        raise unwritable(f"its tokenizer normalizes texts: {json.dumps(normalizer)}")
    steps = content["pre_tokenizer"] or {"type": "none"}
    steps = steps["pretokenizers"] if steps["type"] == "Sequence" else [steps]
    pre_tokenizer = _PreTokenizer(
        tuple(name for step in steps for name in _step(step)), bool(model.get("ignore_merges"))
    )
    if pre_tokenizer not in _NAMES or steps[-1]["type"] != "ByteLevel":
        raise unwritable(f"llama.cpp has no name for its pre-tokenizer: {json.dumps(steps)}")
    return _NAMES[pre_tokenizer]


def _step(step: dict[str, Any]) -> tuple[str, ...]:
    """What a step of the pre-tokenizer does, as a short name or its pattern."""
    match step:
        case {"type": "ByteLevel", "add_prefix_space": False, "use_regex": use_regex}:
            return (_GPT2,) if use_regex else ()
        case {"type": "Digits", "individual_digits": True}:
            return (_DIGITS,)
        case {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}:
            return (pattern,)
    return (json.dumps(step),)
