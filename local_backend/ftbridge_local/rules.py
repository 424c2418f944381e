"""How a model on this machine reads an example: by its own template, tokenizer and context."""

from __future__ import annotations

from ftbridge.dataset.example import Chat, Example, Shape, Tool
from ftbridge.dataset.findings import Notes
from ftbridge_local.data import UnfitError, encode
from ftbridge_local.tokenizer import Tokenizer


class LocalRules:
    """The worker reads the canonical format, so that every example is passed on as it stands, or refused."""

    shapes: frozenset[Shape] = frozenset({"chat", "text"})
    minimum_examples = 1

    def __init__(self, target: str, tokenizer: Tokenizer, longest: int) -> None:
        self.target = target
        self._tokenizer = tokenizer
        self._longest = longest

    def convert(self, example: Example, notes: Notes) -> Example:
        """The example itself."""
        try:
            row = encode(example, self._tokenizer)
        except UnfitError as problem:
            notes.error(problem.path, problem.code, problem.message, problem.fix)
            return example
        length, kept = len(row.ids), row.cut(self._longest)
        if not any(kept.trained) and any(row.trained):
            notes.error(
                "$",
                "no_trained_token_fits",
                f"the row is {length} tokens long, of which {self._longest} are read: nothing of its answers is left",
                "Shorten what comes before the answer, or use a model with a longer context.",
            )
        elif sum(kept.trained) < sum(row.trained):
            notes.warning(
                "$",
                "truncated",
                f"the row is {length} tokens long, of which {self._longest} are read: its end is cut off",
                "Shorten it, or use a model with a longer context.",
            )
        if isinstance(example, Chat):
            _left_out(example, notes)
        return example


def _left_out(chat: Chat, notes: Notes) -> None:
    """What changes nothing in the text that the model is trained on."""
    if any(message.name for message in chat.messages if not isinstance(message, Tool)):
        notes.changed("names_left_out")
    if chat.parallel_tool_calls is not None:
        notes.changed("parallel_tool_calls_left_out")


class LocalCounter:
    """Counts what the model would read: a text by its tokens, a chat by those of its rendering."""

    name = "the model's own tokenizer"
    error = 0.0

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def count(self, example: Example) -> int:
        """The tokens of the example; none for one that the model cannot read."""
        try:
            return len(encode(example, self._tokenizer).ids)
        except UnfitError:
            return 0
