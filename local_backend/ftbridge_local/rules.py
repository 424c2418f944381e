"""The rules for examples of a model on this machine: its own template, tokenizer and context."""

from __future__ import annotations

from collections.abc import Iterator

from ftbridge.dataset.canonical.example import Assistant, Chat, Example, Shape, Text, Tool
from ftbridge.dataset.converter import FileLimits
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Hyperparameters, Method
from ftbridge.wording import printable
from ftbridge_local.models.source import Source
from ftbridge_local.tokenizing.cache import TokenizedExamples
from ftbridge_local.tokenizing.encoding import Row, tokenize
from ftbridge_local.tokenizing.messages import UntrainableError, text_of
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from ftbridge_local.trainer.settings import max_length, tokenizer_for


def reader(source: Source, given: Hyperparameters) -> tuple[Tokenizer, int]:
    """The tokenizer with which a job reads its rows, and how many tokens of a row it reads."""
    tokenizer = tokenizer_for(source, given)
    return tokenizer, max_length(given, tokenizer.context)


class LocalRules:
    """The trainer reads the canonical format, so every example is passed on unchanged, or refused."""

    limits = FileLimits()

    def __init__(
        self,
        target: str,
        tokenizer: Tokenizer,
        max_length: int,
        method: Method,
        tokenized: TokenizedExamples | None = None,
    ) -> None:
        self.shapes: frozenset[Shape] = frozenset({"preference"} if method is Method.DPO else {"chat", "text"})
        self.target = target
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._tokenized = tokenized

    def convert(self, example: Example, diagnostics: Diagnostics) -> Example:
        """The example itself."""
        try:
            item = tokenize(example, self._tokenizer)
        except UntrainableError as problem:
            diagnostics.error(problem.path, problem.code, problem.message, problem.fix)
            return example
        if self._tokenized is not None:
            self._tokenized.add(example, item)
        for row in item.rows:
            self._check_length(row, diagnostics)
        for note in dict.fromkeys(note for row in item.rows for note in row.notes):
            diagnostics.changed(note)
        self._check_texts(example, diagnostics)
        if isinstance(example, Chat):
            _report_omissions(example, diagnostics)
        return example

    def _check_texts(self, example: Example, diagnostics: Diagnostics) -> None:
        """Warn of texts that hold special tokens: as tokens they mean what the template means by them."""
        for path, text in _texts(example):
            if found := self._tokenizer.special_in(text):
                diagnostics.warning(
                    path,
                    "special_token_in_text",
                    f"the text contains {printable(found)}, which is read and trained as a control token of the model",
                    "Remove it, or write it in another way, unless it is meant to end or begin a turn.",
                )

    def _check_length(self, row: Row, diagnostics: Diagnostics) -> None:
        kept = row.truncate(self._max_length)
        length = f"the row is {row.tokens} tokens long, of which {self._max_length} are read"
        if row.trainable and not kept.trainable:
            diagnostics.error(
                "$",
                "no_trained_token_fits",
                f"{length}: no part of its answers is left",
                "Shorten the text before the answer, or use a model with a longer context.",
            )
        elif kept.weight < row.weight:
            fix = "Shorten it, or use a model with a longer context."
            diagnostics.warning("$", "truncated", f"{length}: the rest is cut off", fix)


def _texts(example: Example) -> Iterator[tuple[str, str]]:
    """The texts of an example with their paths."""
    if isinstance(example, Text):
        yield "$.text", example.text
        return
    if isinstance(example, Chat):
        parts = [("$.messages", example.messages)]
    else:
        parts = [
            ("$.input.messages", example.input.messages),
            ("$.preferred_output", example.preferred_output),
            ("$.non_preferred_output", example.non_preferred_output),
        ]
    for at, messages in parts:
        for index, message in enumerate(messages):
            yield f"{at}[{index}].content", text_of(message)
            if isinstance(message, Assistant):
                yield f"{at}[{index}].reasoning_content", message.reasoning_content or ""
                for number, call in enumerate(message.tool_calls or ()):
                    yield f"{at}[{index}].tool_calls[{number}].function.arguments", call.function.arguments


def _report_omissions(chat: Chat, diagnostics: Diagnostics) -> None:
    """Fields that the text that the model is trained on does not contain."""
    if any(message.name for message in chat.messages if not isinstance(message, Tool)):
        diagnostics.changed("names_left_out")
    if chat.parallel_tool_calls is not None:
        diagnostics.changed("parallel_tool_calls_left_out")


class LocalCounter:
    """Counts the tokens that the model would read: those of a text, or of a chat's rendering."""

    name = "the model's own tokenizer"
    error = 0.0
    images = False

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def count(self, example: Example) -> int:
        """The tokens of the example; 0 for one that the model cannot read."""
        try:
            return tokenize(example, self._tokenizer).tokens
        except UntrainableError:
            return 0
