"""A model's own tokenizer and chat template, without torch.

Reads what a Hugging Face folder holds: tokenizer.json, tokenizer_config.json, special_tokens_map.json, chat templates,
generation_config.json, config.json.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import xxhash
from tokenizers import Tokenizer as Backend

from ftbridge.errors import ModelNotFound
from ftbridge.foreign.values import count_of
from ftbridge_local.model_files import check_file, read_object, understood
from ftbridge_local.tokenizing.bounds import TooMuchError
from ftbridge_local.tokenizing.reasoning import ReasoningMarks, marks_of
from ftbridge_local.tokenizing.template import TemplateError
from ftbridge_local.tokenizing.template_files import (
    DEFAULT,
    FOR_TOOLS,
    bad_template,
    files_of,
    read_templates,
    special_tokens,
)

Span = tuple[int, int]

_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "config.json")
_NO_LIMIT = 2**20  # tokens, for a model that names no limit of its own
_PROBE = "!answer!"
_PROBED: tuple[dict[str, Any], ...] = (
    {"content": _PROBE},
    {"tool_calls": [{"id": "probed001", "type": "function", "function": {"name": "f", "arguments": {"a": _PROBE}}}]},
)
"""An answer and a call, to see how the template ends them."""


class Tokenizer:
    """Text to token ids and back, and messages to text.

    `end_ids` are the tokens that end an answer, by the tokenizer, the generation config and the template; `eos_id` is
    the first of them. `bos_ids` open a text; `context` is the maximum number of tokens that the model reads;
    `reasoning` are the marks that the template has around it, if any; `special` are the ids of the special tokens.
    `train_reasoning` says whether the reasoning before an answer is trained. `fingerprint` is equal for those that make
    the same rows of all examples.
    """

    def __init__(self, folder: Path, *, train_reasoning: bool = True) -> None:
        self.train_reasoning = train_reasoning
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

        self._names = special_tokens(config, read_object(folder / "special_tokens_map.json"))
        self._folder = folder
        self._templates = read_templates(folder, config)
        self.reasoning: ReasoningMarks | None = marks_of(template.source for template in self._templates.values())
        added = self._backend.get_added_tokens_decoder()
        self.special = {token.content: number for number, token in added.items() if token.special}
        self._special_sizes = sorted({len(token) for token in self.special}, reverse=True)
        ends = generation.get("eos_token_id", model.get("eos_token_id"))
        listed = [count_of(token) for token in (ends if isinstance(ends, list) else [ends])]
        named = self._backend.token_to_id(self._names.get("eos_token") or "")
        written = [self.special.get(token) for token in self._ends_of_template()]
        known = [
            token for token in (named, *listed, *written) if token is not None and self._backend.id_to_token(token)
        ]
        self.end_ids = list(dict.fromkeys(known))
        if not self.end_ids:
            raise ModelNotFound(
                f"the model in {folder} defines no token that ends an answer",
                hint="Set eos_token in its tokenizer_config.json.",
            )
        self.eos_id = self.end_ids[0]
        self.special |= {self.text_of(token): token for token in self.end_ids}
        self._special_sizes = sorted({len(token) for token in self.special}, reverse=True)
        self._special_starts = re.compile(f"[{re.escape(''.join({token[:1] for token in self.special}))}]")
        self.bos_ids = [token for token in opened if token not in self.end_ids]
        self.context = _context(model, config)
        self.layouts: dict[Hashable, object] = {}  # of `layouts`: how its template writes chats
        self.fingerprint = _hash(folder, files_of(folder, _FILES)) + "-answers" * (not self.train_reasoning)

    def __reduce__(self) -> tuple[Callable[[Path], Tokenizer], tuple[Path]]:
        """Another process opens the folder again: a compiled template cannot be sent to it."""
        return partial(Tokenizer, train_reasoning=self.train_reasoning), (self._folder,)

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

    def decode(self, ids: Sequence[int], *, special: bool = False) -> str:
        """The text of `ids`, without special tokens unless they are asked for."""
        return str(self._backend.decode(list(ids), skip_special_tokens=not special))

    def opens_reasoning(self, prompt: Sequence[int]) -> bool:
        """Whether what a model writes after the prompt begins with reasoning."""
        return self.reasoning is not None and self.reasoning.is_open(self.decode(prompt, special=True))

    def read_answer(self, ids: Sequence[int], *, opened: bool) -> tuple[str | None, str]:
        """Reasoning and answer in what a model wrote after a prompt, which may have `opened` the reasoning."""
        marks, raw = self.reasoning, self.decode(ids, special=True)
        if marks is None or not (opened or marks.is_in(raw)):
            return None, self.decode(ids)
        ends = range(1, len(ids) + 1)
        end = bisect_left(ends, True, key=lambda size: marks.before_answer in self.decode(ids[:size], special=True))
        if end == len(ids):
            return marks.reasoning_of(raw), ""
        return marks.reasoning_of(self.decode(ids[: end + 1], special=True)), self.decode(ids[end + 1 :]).lstrip("\n")

    def render(self, messages: Sequence[dict[str, Any]], tools: Any = None, *, answer_next: bool = False) -> str:
        """The messages as the model reads them; with `answer_next`, up to where its answer begins.

        Raises `TemplateError` when there is no template, or when it does not accept these messages, and
        `ModelNotFound` for one that takes too much time or memory: it would do so for every row.
        """
        if not self._templates:
            raise TemplateError("the model has no chat template")
        template = self._templates.get(DEFAULT)
        if tools is not None or template is None:
            template = self._templates.get(FOR_TOOLS, template)
        if template is None:
            raise TemplateError(f"the model has templates for {', '.join(self._templates)}, and none for chats")
        try:
            return template.render(
                messages=messages, tools=tools, add_generation_prompt=answer_next, documents=None, **self._names
            )
        except TooMuchError as problem:
            raise bad_template(self._folder, str(problem)) from problem

    def end_of_answer(self, text: str) -> int:
        """Where an answer rendered as `text` ends: white space after its last special token is not part of it."""
        bare = text.rstrip()
        return len(bare) if self.last_special(bare) else len(text)

    def special_in(self, text: str) -> str | None:
        """The first special token in a text, which becomes that token."""
        starts = (found.start() for found in self._special_starts.finditer(text))
        tokens = (text[start : start + size] for start in starts for size in self._special_sizes)
        return next((token for token in tokens if token in self.special), None)

    def start_of_token(self, text: str, at: int) -> int:
        """Where the special token begins that the character before `at` and the one at it belong to; else `at`."""
        inside = (
            start
            for size in self._special_sizes
            for start in range(max(0, at - size + 1), at)
            if text[start : start + size] in self.special
        )
        return min(inside, default=at)

    def last_special(self, text: str) -> str | None:
        """The special token that `text` ends with."""
        return next((text[-size:] for size in self._special_sizes if text[-size:] in self.special), None)

    def _ends_of_template(self) -> Iterator[str]:
        """The special tokens that the template writes after an answer and after a call."""
        for said in _PROBED:
            messages = [{"role": "user", "content": "Hi."}, {"role": "assistant", **said}]
            try:
                _, found, tail = self.render(messages).rpartition(_PROBE)
            except (TemplateError, ModelNotFound):  # it is told of with the first row that needs it
                continue
            if found and (token := self.last_special(tail.rstrip())):
                yield token


def _context(model: dict[str, Any], config: dict[str, Any]) -> int:
    inner = model.get("text_config")
    limits = [
        model.get("max_position_embeddings"),
        inner.get("max_position_embeddings") if isinstance(inner, dict) else None,
        model.get("n_positions"),
        config.get("model_max_length"),
    ]
    return min((limit for limit in map(count_of, limits) if limit), default=_NO_LIMIT)


def _hash(folder: Path, files: Iterable[Path]) -> str:
    digest = xxhash.xxh3_128()
    for file in files:
        digest.update(f"{file.relative_to(folder)}\0".encode())
        digest.update(file.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()
