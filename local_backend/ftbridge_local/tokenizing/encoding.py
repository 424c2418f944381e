"""Examples as rows of token ids, with exact knowledge of which tokens are trained.

A chat is written by the model's own template (`writing`), its answers are located in that text (`locate`), and the text
is tokenized as a whole, but where a token would begin in the prompt and end in the answer: there the prompt is one of
its own, as it is when the model is asked. A token is trained when all its characters belong to an answer, as do those
of the token that ends the turn. What is not certain is refused, never guessed at.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import pairwise
from typing import Literal, NamedTuple

from ftbridge.dataset.canonical.example import Chat, Example, Preference, Text
from ftbridge_local.tokenizing.layouts import from_layout, learn
from ftbridge_local.tokenizing.locate import Located, locate
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Span, Tokenizer
from ftbridge_local.tokenizing.writing import prompt, write


class Row(NamedTuple):
    """One tokenized example: `trained[i]` says whether the model learns to predict token `ids[i]`.

    `notes` are codes of what is done otherwise than the example says, such as "end_token_added".
    """

    ids: list[int]
    trained: list[bool]
    notes: tuple[str, ...] = ()

    def truncate(self, length: int) -> Row:
        """The first `length` tokens."""
        return Row(self.ids[:length], self.trained[:length], self.notes)

    @property
    def trainable(self) -> bool:
        """Whether there is a token to train on."""
        return any(self.trained)

    @property
    def rows(self) -> tuple[Row, ...]:
        """What the model reads for it."""
        return (self,)

    @property
    def tokens(self) -> int:
        """How many tokens the model reads for it."""
        return len(self.ids)

    @property
    def weight(self) -> int:
        """How much it counts in the loss of its batch: a row counts by its trained tokens."""
        return sum(self.trained)


class Pair(NamedTuple):
    """A preference: the same prompt with the chosen answer and with the rejected one.

    `reference` is by how many nats the untrained model considers the chosen one more probable.
    """

    chosen: Row
    rejected: Row
    reference: float = 0.0

    def truncate(self, length: int) -> Pair:
        """The first `length` tokens of both."""
        return Pair(self.chosen.truncate(length), self.rejected.truncate(length))

    @property
    def trainable(self) -> bool:
        """Whether there is something to compare."""
        return self.chosen.trainable and self.rejected.trainable

    @property
    def rows(self) -> tuple[Row, ...]:
        """What the model reads for it."""
        return self.chosen, self.rejected

    @property
    def tokens(self) -> int:
        """How many tokens the model reads for it."""
        return self.chosen.tokens + self.rejected.tokens

    @property
    def weight(self) -> int:
        """How much it counts in the loss of its batch: each pair as much as any other."""
        return 1


Item = Row | Pair


class Reading(NamedTuple):
    """A row with the text that it is made of, and the characters of it that each token covers."""

    row: Row
    text: str
    offsets: list[Span]


def tokenize(example: Example, tokenizer: Tokenizer) -> Item:
    """The whole example, however long. Raises `UntrainableError`."""
    first, *second = readings(example, tokenizer)
    return Pair(first.row, second[0].row) if second else first.row


def encode(example: Chat | Text, tokenizer: Tokenizer) -> Row:
    """A chat or a text as a row. Raises `UntrainableError`."""
    return readings(example, tokenizer)[0].row


def readings(example: Example, tokenizer: Tokenizer) -> list[Reading]:
    """The row of the example, of a preference those of both outputs, the preferred first. Raises `UntrainableError`."""
    if isinstance(example, Preference):
        return [_output(example, which, tokenizer) for which in ("preferred_output", "non_preferred_output")]
    return [_chat(example, tokenizer) if isinstance(example, Chat) else _text(example.text, tokenizer)]


def prompt_ids(chat: Chat, tokenizer: Tokenizer) -> list[int]:
    """The token ids after which the model's answer to `chat` begins. Raises `UntrainableError`."""
    return tokenizer.encode(prompt(chat, tokenizer))[0]


def _output(
    example: Preference,
    which: Literal["preferred_output", "non_preferred_output"],
    tokenizer: Tokenizer,
) -> Reading:
    asked, output = example.input, getattr(example, which)
    first = len(asked.messages)
    chat = Chat(messages=[*asked.messages, *output], tools=asked.tools)
    try:
        return _chat(chat, tokenizer, first)
    except UntrainableError as problem:
        if match := re.match(r"\$\.messages\[(\d+)]", problem.path):
            index = int(match[1])
            path = f"$.{which}[{index - first}]" if index >= first else f"$.input.messages[{index}]"
            problem.path = path + problem.path[match.end() :]
        elif problem.path.startswith("$.tools"):
            problem.path = f"$.input{problem.path[1:]}"
        raise


def _text(text: str, tokenizer: Tokenizer) -> Reading:
    ids, offsets = tokenizer.encode(text)
    begun = _added("", [], tokenizer.bos_ids, tokenizer)
    shift = len(begun[0])
    offsets = [*begun[1], *((start + shift, end + shift) for start, end in offsets)]
    whole, offsets = _added(begun[0] + text, offsets, [tokenizer.eos_id], tokenizer)
    ids = [*tokenizer.bos_ids, *ids, tokenizer.eos_id]
    return Reading(Row(ids, [False, *[True] * (len(ids) - 1)]), whole, offsets)


def _added(text: str, offsets: list[Span], ids: list[int], tokenizer: Tokenizer) -> tuple[str, list[Span]]:
    """A text and its offsets with tokens at the end, as templates write them."""
    for token in ids:
        start, text = len(text), text + tokenizer.text_of(token)
        offsets = [*offsets, (start, len(text))]
    return text, offsets


def _chat(chat: Chat, tokenizer: Tokenizer, first: int = 0) -> Reading:
    """The chat as a row, of which the answers from message `first` on are trained."""
    text, located = from_layout(chat, tokenizer, first) or _located(chat, tokenizer, first)
    ids, offsets = _encode(text, [start for start, _end in located.spans], tokenizer)
    trained = [False] * len(ids)
    starts = [start for start, _ in offsets]
    for start, end in located.spans:
        index = bisect_left(starts, start)
        while index < len(ids) and offsets[index][1] <= end:
            trained[index] = True
            index += 1
    if located.add_end:
        ids, trained = [*ids, tokenizer.eos_id], [*trained, True]
        text, offsets = _added(text, offsets, [tokenizer.eos_id], tokenizer)
    trained[0] = False  # there is nothing before the first token to predict it from
    return Reading(Row(ids, trained, located.notes), text, offsets)


def _encode(text: str, begins: list[int], tokenizer: Tokenizer) -> tuple[list[int], list[Span]]:
    """Tokens of which none goes over the beginning of an answer, and the characters that each covers."""
    ids, offsets = tokenizer.encode(text)
    starts = [start for start, _ in offsets]
    within = [begin for begin in begins if (at := bisect_left(starts, begin)) > 0 and offsets[at - 1][1] > begin]
    if not within:
        return ids, offsets
    cuts = [0, *within, len(text)]
    parts = [(begin, tokenizer.encode(text[begin:end])) for begin, end in pairwise(cuts)]
    return (
        [token for _begin, (tokens, _offsets) in parts for token in tokens],
        [(begin + start, begin + end) for begin, (_tokens, places) in parts for start, end in places],
    )


def _located(chat: Chat, tokenizer: Tokenizer, first: int) -> tuple[str, Located]:
    written = write(chat, tokenizer)
    located = locate(chat, written, tokenizer, first)
    learn(chat, written, located, tokenizer, first)
    return located.inserted.into(written.text), located
