"""A chat as the model's template writes it, and proof that all of it is written."""

from __future__ import annotations

from typing import Any, NamedTuple

from ftbridge.dataset.canonical.example import Chat
from ftbridge_local.tokenizing.evidence import Mark, Marked, mark_chat
from ftbridge_local.tokenizing.messages import Form, Messages, UntrainableError, forms_of, plain
from ftbridge_local.tokenizing.template import TemplateError
from ftbridge_local.tokenizing.tokenizer import Tokenizer

_OTHER_MODEL = "use another model."


class Written(NamedTuple):
    """A chat in the form that the template wants, its rendering, and the same with a mark after each part.

    `no_reasoning` are the indices of the messages whose reasoning the template leaves out.
    """

    messages: Messages
    tools: list[dict[str, Any]] | None
    text: str
    marked: Marked
    marked_text: str
    no_reasoning: frozenset[int]


def write(chat: Chat, tokenizer: Tokenizer) -> Written:
    """Raises `UntrainableError` where the template refuses the chat, or leaves a part of it out."""
    first: UntrainableError | None = None
    for form in forms_of(chat, tokenizer.reasoning):
        try:
            return _write(chat, form, tokenizer)
        except UntrainableError as problem:
            if first is None or first.code == "template_refuses":
                first = problem
    assert first is not None
    raise first


def prompt(chat: Chat, tokenizer: Tokenizer) -> str:
    """The chat up to where the model's answer begins. Raises `UntrainableError` where the template refuses it."""
    try:
        written = write(chat, tokenizer)
        messages, tools = written.messages, written.tools
    except UntrainableError as problem:
        if problem.code != "template_leaves_out":  # what is left out is no reason not to answer
            raise
        messages, tools = plain(chat, Form(), tokenizer.reasoning)
    return render(messages, tools, tokenizer, answer_next=True)


def render(messages: Messages, tools: Any, tokenizer: Tokenizer, *, answer_next: bool = False) -> str:
    """The rendering. Raises `UntrainableError` where the template refuses it."""
    try:
        return tokenizer.render(messages, tools, answer_next=answer_next)
    except TemplateError as refusal:
        raise UntrainableError(
            "$.messages",
            "template_refuses",
            f"the model's chat template does not accept this chat: {refusal}",
            "Change the roles or their order to what the template supports, or use another model.",
        ) from None


def _write(chat: Chat, form: Form, tokenizer: Tokenizer) -> Written:
    messages, tools = plain(chat, form, tokenizer.reasoning)
    text = render(messages, tools, tokenizer)
    marked = mark_chat(messages, tools, text)
    marked_text = render(marked.messages, marked.tools, tokenizer)
    missing = [mark for mark in marked.marks if not mark.is_in(marked_text)]
    for mark in missing:
        if mark.part != "reasoning_content":
            raise _leaves_out(mark, messages)
    if any(arguments in marked_text for arguments in marked.as_python):
        raise UntrainableError(
            "$.messages",
            "template_leaves_out",
            "the model's chat template does not write the arguments of tool calls as JSON",
            f"Leave tool calls out, or {_OTHER_MODEL}",
        )
    no_reasoning = frozenset(mark.message for mark in missing)
    return Written(messages, tools, text, marked, marked_text, no_reasoning)


def _leaves_out(mark: Mark, messages: Messages) -> UntrainableError:
    if mark.part == "tools":
        what = "does not support tools"
        fix = "Use a model whose template supports tools, or leave them out."
    elif mark.part == "tool_calls":
        what = "leaves out a tool call of this assistant message, or a part of it"
        fix = f"Leave tool calls out, or {_OTHER_MODEL}"
    else:
        what = f"leaves out the content of this {messages[mark.message]['role']} message"
        fix = f"Put it into a role that the template supports, or {_OTHER_MODEL}"
    return UntrainableError(mark.path, "template_leaves_out", f"the model's chat template {what}", fix)
