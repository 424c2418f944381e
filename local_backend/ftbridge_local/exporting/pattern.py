"""How a model's chat template renders a chat: what stands before each text of a message, and what that depends on.

A chat is a row of texts (the user's, an answer, a call's name and arguments, its result), and a template is what it
writes between two of them. That follows, in nearly all templates, from what stands at both sides, from whether the
user speaks again later, and from whether there are a system message and tools. So it is learned from a few chats.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any, Literal, NamedTuple

from ftbridge_local.exporting.gap import Gap, Special, Tools
from ftbridge_local.exporting.probes import MARK, SYSTEM, Atom, Kind, Probe, probes
from ftbridge_local.tokenizing.template import TemplateError

Render = Callable[[list[dict[str, Any]], list[dict[str, Any]] | None], str]
_DATE_FORMATS = ("%d %b %Y", "%Y-%m-%d")  # of Llama 3.2, and of gpt-oss
_UP_TO = ((False,), (False, True))


class Place(NamedTuple):
    """Where a gap is: after what, whether in the last message or before the user's last, and what the chat has."""

    left: Kind
    before_last: bool
    in_last: bool
    system: bool
    tools: bool


class Pattern(NamedTuple):
    """The gaps before each kind of text, by place; and the form that texts are written in, where there are several."""

    gaps: Mapping[Kind, Mapping[Place, Gap]]
    forms: Mapping[Kind, int]
    has_system: bool
    has_tools: bool
    several_calls: bool
    thinks: bool
    calls_have_content: bool


class InexpressibleError(Exception):
    """The template does not write each text of a chat once and in order; the text says what it does."""


def learn(render: Render) -> Pattern:
    """The pattern of the template that `render` renders chats with, up to where the answer begins.

    Raises `InexpressibleError` for a template that has none. A system message, tools and reasoning are a part of
    it only where the template takes them.
    """
    plain = _learn(render, [(False, False, False)])
    for system, tools, thinking in ((1, 1, 1), (1, 1, 0), (1, 0, 0), (0, 1, 0)):
        try:
            return _learn(render, list(product(_UP_TO[system], _UP_TO[tools], _UP_TO[thinking])))
        except InexpressibleError:
            continue
    return plain


def _learn(render: Render, kinds: Sequence[tuple[bool, bool, bool]]) -> Pattern:
    gaps: dict[Kind, dict[Place, Gap]] = {}
    forms: dict[Kind, int] = {}
    several_calls = True
    for system, tools, thinking in kinds:
        rendered = 0
        for probe in probes(system=system, tools=tools, thinking=thinking):
            if probe.several_calls and not several_calls:
                continue
            try:
                found = list(_gaps(render(probe.messages, probe.tools), probe, forms))
            except (TemplateError, InexpressibleError) as problem:
                several_calls = several_calls and not probe.several_calls
                if probe.several_calls or isinstance(problem, TemplateError):
                    continue
                raise
            rendered += 1
            for kind, place, gap in found:
                if gaps.setdefault(kind, {}).setdefault(place, gap) != gap:
                    raise InexpressibleError(f"what it writes before {kind} depends on more than its neighbours")
        if not rendered:
            raise InexpressibleError("it refuses a chat of one message")
    system, tools, thinks = (any(some) for some in zip(*kinds, strict=True))
    if tools and "arguments" not in gaps:
        raise InexpressibleError("it writes no calls of tools")
    with_content = any(place.left == "assistant" for place in gaps.get("name", {}))
    return Pattern(gaps, forms, system, tools, several_calls, thinks and "thinking" in gaps, with_content)


def _gaps(text: str, probe: Probe, forms: dict[Kind, int]) -> Iterator[tuple[Kind, Place, Gap]]:
    system, tools = probe.messages[0]["role"] == "system", probe.tools is not None
    if text.count(SYSTEM) > system or (system and SYSTEM not in text and not tools):
        raise InexpressibleError("it leaves the system message out, or repeats it")
    if tools and _tools_in(text, probe.tools or []) is None:
        raise InexpressibleError("it leaves the definitions of tools out, or writes them in a form of its own")
    left: Kind = "start"
    end = 0
    for index, message in enumerate(probe.atoms):
        before_last, in_last = index < probe.last_user, index == len(probe.atoms) - 1
        found = [spot for atom in message if (spot := _find(text, end, atom, forms))]
        for start, kind, written in sorted(found):
            if start < end:
                raise InexpressibleError(f"it writes {kind} out of order")
            yield kind, Place(left, before_last, in_last, system, tools), _parts(text[end:start], probe.tools)
            left, end = kind, start + len(written)
    yield "end", Place(left, False, True, system, tools), _parts(text[end:], probe.tools)


def _find(text: str, start: int, atom: Atom, forms: dict[Kind, int]) -> tuple[int, Kind, str] | None:
    """Where the text stands, in the form that this kind has; None where the template leaves it out."""
    for form, written in enumerate(atom.texts):
        at = text.find(written, start)
        if at >= 0 and forms.setdefault(atom.kind, form) == form:
            return at, atom.kind, written
    if atom.required:
        raise InexpressibleError(f"it leaves {atom.kind} out, or writes it in a form of its own")
    return None


def _parts(text: str, tools: list[dict[str, Any]] | None) -> Gap:
    """The gap with what is not the template's own taken out of it."""
    if SYSTEM in text:
        before, _, after = text.partition(SYSTEM)
        return (*_parts(before, tools), Special("system"), *_parts(after, tools))
    if tools and (found := _tools_in(text, tools)):
        block, how = found
        before, _, after = text.partition(block)
        return (*_parts(before, None), Special("tools", tools=how), *_parts(after, None))
    for form in _DATE_FORMATS:
        before, today, after = text.partition(datetime.now().strftime(form))
        if today:
            return (*_parts(before, None), Special("date", form), *_parts(after, None))
    if MARK in text:
        raise InexpressibleError("it repeats a part of a message, or writes it in a form of its own")
    return (text,) if text else ()


def _tools_in(text: str, tools: list[dict[str, Any]]) -> tuple[str, Tools] | None:
    """The part of `text` that defines the tools, and how it does."""
    keys: tuple[Literal["function"] | None, ...] = (None, "function")
    for key, indent in product(keys, (None, 2, 4)):
        written = [tool_json(tool, key, indent) for tool in tools]
        starts = [text.find(each) for each in written]
        if min(starts) >= 0 and all(text.count(each) == 1 for each in written):
            between = text[starts[0] + len(written[0]) : starts[1]]
            return between.join(written), Tools(key, indent, between)
    return None


def tool_json(tool: dict[str, Any], key: Literal["function"] | None, indent: int | None) -> str:
    """The tool as a template's `tojson` writes it."""
    return json.dumps(tool[key] if key else tool, ensure_ascii=False, indent=indent)
