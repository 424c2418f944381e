"""How a model on this machine reads an example: by its own template, tokenizer and context."""

from __future__ import annotations

from ftbridge.dataset.canonical.example import Chat, Example, Shape, Tool
from ftbridge.dataset.converter import FileLimits
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Method
from ftbridge_local.trainer.encoding import Row, UnfitError, tokenize
from ftbridge_local.trainer.rows import Seen
from ftbridge_local.trainer.tokenizer import Tokenizer


class LocalRules:
    """The worker reads the canonical format, so that every example is passed on as it stands, or refused."""

    limits = FileLimits()

    def __init__(
        self, target: str, tokenizer: Tokenizer, longest: int, method: Method, seen: Seen | None = None
    ) -> None:
        self.shapes: frozenset[Shape] = frozenset({"preference"} if method is Method.DPO else {"chat", "text"})
        self.target = target
        self._tokenizer = tokenizer
        self._longest = longest
        self._seen = seen

    def convert(self, example: Example, diagnostics: Diagnostics) -> Example:
        """The example itself."""
        try:
            item = tokenize(example, self._tokenizer)
        except UnfitError as problem:
            diagnostics.error(problem.path, problem.code, problem.message, problem.fix)
            return example
        if self._seen is not None:
            self._seen.add(example, item)
        for row in item.rows:
            self._check_length(row, diagnostics)
        if isinstance(example, Chat):
            _left_out(example, diagnostics)
        return example

    def _check_length(self, row: Row, diagnostics: Diagnostics) -> None:
        kept = row.cut(self._longest)
        found = f"the row is {row.tokens} tokens long, of which {self._longest} are read"
        if row.fits and not kept.fits:
            diagnostics.error(
                "$",
                "no_trained_token_fits",
                f"{found}: nothing of its answers is left",
                "Shorten what comes before the answer, or use a model with a longer context.",
            )
        elif kept.weight < row.weight:
            fix = "Shorten it, or use a model with a longer context."
            diagnostics.warning("$", "truncated", f"{found}: its end is cut off", fix)


def _left_out(chat: Chat, diagnostics: Diagnostics) -> None:
    """What changes nothing in the text that the model is trained on."""
    if any(message.name for message in chat.messages if not isinstance(message, Tool)):
        diagnostics.changed("names_left_out")
    if chat.parallel_tool_calls is not None:
        diagnostics.changed("parallel_tool_calls_left_out")


class LocalCounter:
    """Counts what the model would read: a text by its tokens, a chat by those of its rendering."""

    name = "the model's own tokenizer"
    error = 0.0
    images = False

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def count(self, example: Example) -> int:
        """The tokens of the example; none for one that the model cannot read."""
        try:
            return tokenize(example, self._tokenizer).tokens
        except UnfitError:
            return 0
