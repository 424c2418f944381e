"""A model's own tokenizer and chat template, without torch.

Reads what a Hugging Face folder holds: tokenizer.json, tokenizer_config.json, chat_template.jinja,
generation_config.json, config.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xxhash
from tokenizers import Tokenizer as Backend

from ftbridge.errors import ModelNotFound
from ftbridge.foreign.values import count_of
from ftbridge_local.model_files import check_file, read_object, reason_of, understood
from ftbridge_local.tokenizing.bounds import TooMuchError
from ftbridge_local.tokenizing.template import ChatTemplate, TemplateError

Span = tuple[int, int]

_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json", "config.json")
_NO_LIMIT = 2**20  # tokens, for a model that names no limit of its own


class Tokenizer:
    """Text to token ids and back, and messages to text.

    `end_ids` are the tokens that end an answer, `eos_id` the first of them; `bos_ids` open a text; `context` is the
    maximum number of tokens that the model reads. `fingerprint` is equal for folders that tokenize every text alike.
    """

    def __init__(self, folder: Path) -> None:
        for name in _FILES:
            if (folder / name).exists():
                check_file(folder / name)
        with understood(folder, "its tokenizer cannot be read"):
            self._open(folder)

    def _open(self, folder: Path) -> None:
        config = read_object(folder / "tokenizer_config.json")
        model, generation = read_object(folder / "config.json"), read_object(folder / "generation_config.json")
        self._backend = Backend.from_file(str(folder / "tokenizer.json"))
        self._backend.no_truncation()
        self._backend.no_padding()
        opened = self._backend.encode("", add_special_tokens=True).ids
        # its only other effect is to trim spaces off the offsets, which would blur where an answer starts
        self._backend.post_processor = None

        self._names = {key: _content(value) for key, value in config.items() if key.endswith("_token")}
        ends = generation.get("eos_token_id", model.get("eos_token_id"))
        listed = [count_of(token) for token in (ends if isinstance(ends, list) else [ends])]
        named = self._backend.token_to_id(self._names.get("eos_token") or "")
        known = [token for token in (named, *listed) if token is not None and self._backend.id_to_token(token)]
        self.end_ids = list(dict.fromkeys(known))
        if not self.end_ids:
            raise ModelNotFound(
                f"the model in {folder} defines no token that ends an answer",
                hint="Set eos_token in its tokenizer_config.json.",
            )
        self.eos_id = self.end_ids[0]
        self.bos_ids = [token for token in opened if token not in self.end_ids]
        self.context = _context(model, config)
        self._special = {token.content for token in self._backend.get_added_tokens_decoder().values() if token.special}
        self._special.update(filter(None, map(self._backend.id_to_token, self.end_ids)))
        self._template = _template(folder, config)
        self.fingerprint = _hash(folder / name for name in _FILES)
        self._folder = folder

    def __reduce__(self) -> tuple[type[Tokenizer], tuple[Path]]:
        """Another process opens the folder again: a compiled template cannot be sent to it."""
        return Tokenizer, (self._folder,)

    def encode(self, text: str) -> tuple[list[int], list[Span]]:
        """The token ids of `text`, without special tokens added, and the characters that each covers."""
        encoding = self._backend.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def text_of(self, token: int) -> str:
        """The token as templates write it."""
        return str(self._backend.id_to_token(token))

    @property
    def bos(self) -> str:
        """The token that opens a text, as templates write it; empty where there is none."""
        return str(self._names.get("bos_token") or "")

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`, without special tokens."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True))

    def render(self, messages: Sequence[dict[str, Any]], tools: Any = None, *, answer_next: bool = False) -> str:
        """The messages as the model reads them; with `answer_next`, up to where its answer begins.

        Raises `TemplateError` when there is no template, or when it does not accept these messages, and
        `ModelNotFound` for one that takes too much time or memory: it would do so for every row.
        """
        if self._template is None:
            raise TemplateError("the model has no chat template")
        try:
            return self._template.render(
                messages=messages, tools=tools, add_generation_prompt=answer_next, documents=None, **self._names
            )
        except TooMuchError as problem:
            raise _bad_template(self._folder, str(problem)) from problem

    def end_of_answer(self, text: str) -> int:
        """Where an answer rendered as `text` ends: white space after its last special token is not part of it."""
        bare = text.rstrip()
        return len(bare) if any(bare.endswith(token) for token in self._special) else len(text)


def _template(folder: Path, config: dict[str, Any]) -> ChatTemplate | None:
    file = folder / "chat_template.jinja"
    source = file.read_text("utf-8") if file.exists() else config.get("chat_template")
    if isinstance(source, list):  # several, by name
        source = {entry["name"]: entry["template"] for entry in source}.get("default")
    if source is None:
        return None
    if not isinstance(source, str):
        raise _bad_template(folder, "is not a text")
    try:
        return ChatTemplate(source)
    except TooMuchError as problem:
        raise _bad_template(folder, str(problem)) from problem
    except Exception as problem:  # of jinja2, or of Python, which compiles what jinja2 makes of it
        raise _bad_template(folder, f"is not valid Jinja: {reason_of(problem)}") from problem


def _bad_template(folder: Path, why: str) -> ModelNotFound:
    return ModelNotFound(
        f"the chat template of the model in {folder} {why}",
        hint="Fix its chat_template.jinja, or chat_template in tokenizer_config.json.",
    )


def _context(model: dict[str, Any], config: dict[str, Any]) -> int:
    inner = model.get("text_config")
    limits = [
        model.get("max_position_embeddings"),
        inner.get("max_position_embeddings") if isinstance(inner, dict) else None,
        model.get("n_positions"),
        config.get("model_max_length"),
    ]
    return min((limit for limit in map(count_of, limits) if limit), default=_NO_LIMIT)


def _content(token: Any) -> Any:
    return token["content"] if isinstance(token, dict) else token


def _hash(files: Iterable[Path]) -> str:
    digest = xxhash.xxh3_128()
    for file in files:
        digest.update(file.read_bytes() if file.exists() else b"")
        digest.update(b"\0")
    return digest.hexdigest()
