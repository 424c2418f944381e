"""What is known of a template by chats that it has written: of chats with the same roles only the texts differ.

The rendering of a chat of texts is what the template writes around them. Where another chat of the same roles is
rendered with exactly the same around its own texts, it is proven that all of it is written, and its answers have the
same places: it need not be rendered with marks again, nor its beginnings.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import accumulate, chain, zip_longest
from typing import NamedTuple

from ftbridge.dataset.canonical.example import Assistant, Chat, Tool
from ftbridge_local.tokenizing.locate import Insertion, Located
from ftbridge_local.tokenizing.messages import Form, plain
from ftbridge_local.tokenizing.template import TemplateError
from ftbridge_local.tokenizing.tokenizer import Span, Tokenizer
from ftbridge_local.tokenizing.writing import Written

_MOST = 1000  # shapes of chats; there are hardly more in a file, and each takes some kilobytes


class Layout(NamedTuple):
    """What stands around the texts, and what was located, with each place as (text before which it is, offset)."""

    around: list[str]
    spans: list[tuple[Span, Span]]
    inserted_at: Span
    located: Located

    def apply(self, texts: list[str], whole: str) -> tuple[str, Located] | None:
        """The text of the row and its answers; None where the rendering `whole` has another layout."""
        pieces = _pieces(self.around, texts)
        if "".join(pieces) != whole:  # the template may trim texts
            pieces = _pieces(self.around, [text.strip() for text in texts])
            if "".join(pieces) != whole:
                return None
        starts = [0, *accumulate(map(len, pieces))]
        added = self.located.inserted.text

        def place(span: Span) -> int:
            return starts[2 * span[0]] + span[1]

        inserted = Insertion(place(self.inserted_at), added)
        spans = [(place(start), place(end)) for start, end in self.spans]
        if added:
            spans = [(_moved(start, inserted), _moved(end, inserted)) for start, end in spans]
        return inserted.into(whole), self.located._replace(spans=spans, inserted=inserted)


def from_layout(chat: Chat, tokenizer: Tokenizer, first: int) -> tuple[str, Located] | None:
    """The text of the chat's row and its answers, if a chat of the same shape is known."""
    layout = tokenizer.layouts.get(_shape(chat, first))
    if not isinstance(layout, Layout):
        return None
    messages, tools = plain(chat, Form(), None)
    try:
        whole = tokenizer.render(messages, tools)
    except TemplateError:  # it is told of where it is rendered again
        return None
    return layout.apply([message["content"] for message in messages], whole)


def learn(chat: Chat, written: Written, located: Located, tokenizer: Tokenizer, first: int) -> None:
    """Remember the layout of a chat of texts."""
    if (shape := _shape(chat, first)) is None or written.messages != plain(chat, Form(), None)[0]:
        return
    marks = written.marked.marks
    around = written.marked.pattern.split(written.marked_text)
    texts = [message["content"] for message in written.messages]
    if len(around) != len(marks) + 1 or written.marked.pattern.findall(written.marked_text) != [m.mark for m in marks]:
        return
    for index, text in enumerate(texts):
        bare = text.rstrip()
        if not around[index].endswith(bare):
            return
        around[index] = around[index].removesuffix(bare)
        around[index + 1] = around[index + 1].removeprefix(text[len(bare) :])
    layout = _layout(around, [text if text in written.text else text.strip() for text in texts], located)
    applied = layout and layout.apply(texts, written.text)
    if layout and applied == (located.inserted.into(written.text), located):
        if len(tokenizer.layouts) >= _MOST:
            tokenizer.layouts.clear()
        tokenizer.layouts[shape] = layout


def _layout(around: list[str], texts: list[str], located: Located) -> Layout | None:
    starts = [0, *accumulate(map(len, _pieces(around, texts)))]
    at, added = located.inserted

    def place(offset: int) -> Span | None:
        """Which of the pieces around the texts it is in, and how far."""
        offset -= len(added) if added and offset > at else 0
        for index, piece in enumerate(around):
            if starts[2 * index] <= offset <= starts[2 * index] + len(piece):
                return index, offset - starts[2 * index]
        return None

    spans = [(start, end) for span in located.spans if (start := place(span[0])) and (end := place(span[1]))]
    where = place(at)
    return Layout(around, spans, where, located) if where and len(spans) == len(located.spans) else None


def _pieces(around: list[str], texts: list[str]) -> list[str]:
    """Each text between the two pieces that stand around it."""
    return list(chain.from_iterable(zip_longest(around, texts, fillvalue="")))


def _moved(offset: int, inserted: Insertion) -> int:
    return offset + len(inserted.text) if offset >= inserted.at else offset


def _shape(chat: Chat, first: int) -> Hashable:
    """Equal for chats that differ in their texts alone; None for one that has more than texts."""
    if chat.tools is not None:
        return None
    for message in chat.messages:
        if not isinstance(message.content, str) or not message.content.strip() or isinstance(message, Tool):
            return None
        if isinstance(message, Assistant) and (message.tool_calls or message.reasoning_content):
            return None
    return first, *((type(message), getattr(message, "weight", None) != 0) for message in chat.messages)
