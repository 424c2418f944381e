"""Where the answers of a chat are in its rendering, and what of them is trained.

An answer begins where the rendering of the messages before it ends, with the prompt for the next answer, and ends where
the rendering of the messages up to it ends: what follows then begins with the same characters. Templates that rewrite
earlier turns (which drop what was thought in them, say) write those unlike a model that is asked would: there only the
answers after the user's last message are trained, which are found by their marks.

Some prompts open or hold reasoning that the template does not write before an answer that is known (DeepSeek R1,
Gemma 4). The row is then the prompt, as the model will be given it, and the answer.
"""

from __future__ import annotations

from typing import NamedTuple

from ftbridge.dataset.canonical.example import Assistant, Chat, User
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Span, Tokenizer
from ftbridge_local.tokenizing.writing import Written, render

LAST_ANSWER_ONLY = "only_last_answer_trained"
REASONING_LEFT_OUT = "reasoning_of_earlier_answers_left_out"
END_ADDED = "end_token_added"


class Insertion(NamedTuple):
    """Text that the prompt has, and the rendering has not, and its index in the rendering."""

    at: int = 0
    text: str = ""

    def into(self, rendering: str) -> str:
        """The rendering with it."""
        return rendering[: self.at] + self.text + rendering[self.at :]


class Located(NamedTuple):
    """The trained stretches of a rendering; the last ends with the token that ends answers, which may be added.

    `notes` are codes of what is done otherwise than the chat says. Indices count what is inserted.
    """

    spans: list[Span]
    inserted: Insertion
    add_end: bool
    notes: tuple[str, ...]


def locate(chat: Chat, written: Written, tokenizer: Tokenizer, first: int) -> Located:
    """The answers from message `first` on. Raises `UntrainableError` where none can be found."""
    answers = [
        index
        for index, message in enumerate(chat.messages)
        if index >= first and type(message) is Assistant and message.weight != 0
    ]
    last = len(chat.messages) - 1
    asked = max((index for index, message in enumerate(chat.messages) if type(message) is User), default=-1)
    spans: list[Span] = []
    notes: dict[str, None] = {}
    inserted, add_end = Insertion(), False
    for index in answers:
        before = render(written.messages[:index], written.tools, tokenizer, answer_next=True)
        span = _between_prefixes(index, before, written, tokenizer)
        if span is None and index == last:
            span, inserted = _after_prompt(index, before, written, tokenizer)
        elif span is None and index > asked:
            span = _by_marks(index, before, written, tokenizer)
        text = inserted.into(written.text)
        ended = span is not None and tokenizer.last_special(text[span[0] : span[1]]) is not None
        if span is None or (index != last and not ended):
            notes[LAST_ANSWER_ONLY] = None
            continue
        add_end = not ended
        reasons = bool(written.messages[index].get("reasoning_content"))
        if reasons and not inserted.text and index in written.no_reasoning:
            if index == last:
                raise _no_reasoning(index)
            notes[REASONING_LEFT_OUT] = None
        spans.append(_answer_alone(text, span, tokenizer) if reasons and not tokenizer.train_reasoning else span)
    if answers and not spans:
        raise _not_located(answers[0])
    notes |= {END_ADDED: None} if add_end else {}
    notes |= {REASONING_LEFT_OUT: None} if written.no_reasoning - {last} else {}
    return Located(spans, inserted, add_end, tuple(notes))


def _between_prefixes(index: int, before: str, written: Written, tokenizer: Tokenizer) -> Span | None:
    """The answer after the prompt `before`, up to the rendering that ends with it."""
    messages, tools, whole = written.messages, written.tools, written.text
    if not whole.startswith(before):
        return None
    upto = whole if index == len(messages) - 1 else render(messages[: index + 1], tools, tokenizer)
    if not (whole.startswith(upto) and len(before) < len(upto)):
        return None
    return len(before), len(before) + tokenizer.end_of_answer(upto[len(before) :])


def _after_prompt(index: int, before: str, written: Written, tokenizer: Tokenizer) -> tuple[Span, Insertion]:
    """The last answer, where the prompt for it, `before`, is not the beginning of the rendering."""
    messages, tools, whole = written.messages, written.tools, written.text
    asked = render(messages[:index], tools, tokenizer)
    at = tokenizer.start_of_token(before, min(_common(before, whole), _begin(index, written)))
    if at < len(asked.rstrip()):
        raise _not_located(index, is_last=True)
    added, marks = before[at:], tokenizer.reasoning
    if marks and marks.opens in added and marks.closes not in added:
        reasoning = messages[index].get("reasoning_content") or ""
        added += f"{reasoning.strip()}\n{marks.closes}\n\n" if reasoning else f"\n{marks.closes}\n\n"
    elif index in written.no_reasoning:
        raise _no_reasoning(index)
    end = at + len(added) + tokenizer.end_of_answer(whole[at:])
    return (len(before), end), Insertion(at, added)


def _by_marks(index: int, before: str, written: Written, tokenizer: Tokenizer) -> Span | None:
    """An answer before the last that is written otherwise where it is the last: up to what follows it in both."""
    whole = written.text
    alone = render(written.marked.messages[: index + 1], written.marked.tools, tokenizer)
    pieces, own = written.marked.pattern, [mark.mark for mark in written.marked.marks if mark.message == index]
    if not own or not whole.startswith(before) or pieces.sub("", written.marked_text) != whole:
        return None
    tail = alone.rpartition(own[-1])[2]
    head, _, rest = written.marked_text.rpartition(own[-1])
    if not rest.startswith(tail):
        return None
    start, end = len(before), len(pieces.sub("", head)) + len(pieces.sub("", tail))
    return (start, start + tokenizer.end_of_answer(whole[start:end])) if start < end else None


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


def _begin(index: int, written: Written) -> int:
    """Where the first part of the message begins in the rendering; its end where that is not known."""
    for mark in written.marked.marks:
        head, found, _ = written.marked_text.partition(mark.mark)
        if mark.message == index and found:
            return len(written.marked.pattern.sub("", head)) - len(mark.text)
    return len(written.text)


def _answer_alone(text: str, span: Span, tokenizer: Tokenizer) -> Span:
    """What comes after the reasoning."""
    marks = tokenizer.reasoning
    if marks is None:
        return span
    at = text.find(marks.before_answer, *span)
    if at < 0:
        return span
    start = at + len(marks.before_answer)
    return span[1] - len(text[start : span[1]].lstrip("\n")), span[1]


def _no_reasoning(index: int) -> UntrainableError:
    return UntrainableError(
        f"$.messages[{index}].reasoning_content",
        "template_leaves_out",
        "the model's chat template leaves out the reasoning of this assistant message",
        "Remove the reasoning, or use a model whose template has it.",
    )


def _not_located(index: int, *, is_last: bool = False) -> UntrainableError:
    return UntrainableError(
        f"$.messages[{index}]",
        "answer_not_located",
        "the model's chat template rewrites earlier turns, so the position of this answer is not certain",
        "Use another model." if is_last else "End the example with this answer: leave out the messages after it.",
    )
