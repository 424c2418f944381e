"""A pattern as a template of Ollama's: Go's text/template over `.Messages`.

By Go's documentation of text/template, and Ollama's "Modelfile Reference" and "Template" (docs.ollama.com, 2026-11).
What is written between two texts depends on the variable `$left`, the kind of text before, on whether the user speaks
again (`lt $i $last`), on `$.System` and on `$.Tools`. Ollama finds the mark of a call as the first text below
`.ToolCalls`, and the marks of a thought around `.Thinking`, so what opens an answer stands before both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ftbridge_local.exporting.gap import Gap, Special, after, common_beginning, mirrored
from ftbridge_local.exporting.go_tools import arguments, definitions
from ftbridge_local.exporting.pattern import InexpressibleError, Pattern, Place
from ftbridge_local.exporting.probes import Kind

_ORDER: tuple[Kind, ...] = (
    "start", "user", "tool", "tool_id", "tool_name", "thinking", "assistant", "name", "arguments", "id",
)  # fmt: skip
_IN_ANSWER: tuple[Kind, ...] = ("thinking", "assistant", "name", "arguments", "id")
_FIELDS: dict[Kind, str] = {
    "user": ".Content",
    "assistant": ".Content",
    "name": ".Function.Name",
    "id": ".ID",
    "tool": ".Content",
    "tool_id": ".ToolCallID",
    "tool_name": ".ToolName",
}
_CONDITIONS = {
    "before_last": "lt $i $last",
    "in_last": "eq (len (slice $.Messages $i)) 1",
    "system": "$.System",
    "tools": "$.Tools",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_LINE_ENDS = re.compile(r".*[\n>\]]", re.DOTALL)
_LINE_BEGINS = re.compile(r".*[\n<\[]", re.DOTALL)  # of a text that is read backwards
_BEFORE_ACTION = re.compile(r"\{(?=\{\{)")  # a brace there would be taken for the beginning of the action

Gaps = Mapping[Place, Gap]


class _Parts(NamedTuple):
    """A template in the order in which it is written, but for the loop around it."""

    opening: Gaps
    after_thought: Gap
    gaps: Mapping[Kind, Gaps]


def go_template(pattern: Pattern, bos: str = "") -> str:
    """The template; without `bos` at its beginning, if the engine adds that."""
    parts = _parts(_without_bos(pattern.gaps, bos))
    lines = [
        '{{- $left := "start" }}{{ $last := 0 }}',
        '{{- range $i, $m := .Messages }}{{ if eq .Role "user" }}{{ $last = $i }}{{ end }}{{ end }}',
        "{{- range $i, $m := .Messages }}",
        '{{- if eq .Role "user" }}' + _atom("user", parts, pattern),
        '{{- else if eq .Role "assistant" }}' + _answer(parts, pattern),
    ]
    if pattern.has_tools:
        order = _in_order(parts.gaps, ("tool", "tool_id", "tool_name"))
        lines.append('{{- else if eq .Role "tool" }}' + "".join(_atom(kind, parts, pattern) for kind in order))
    lines += ["{{- end }}", "{{- end }}", f"{{{{- {_ends(parts)} }}}}{_go(parts.gaps['end'])}{{{{ end }}}}"]
    return _BEFORE_ACTION.sub('{{ "{" }}', "\n".join(lines))


def _parts(gaps: Mapping[Kind, Gaps]) -> _Parts:
    """What all that can open an answer has in common, and what follows every thought, each in a place of its own."""
    firsts: dict[Place, list[Gap]] = {}
    for kind in _IN_ANSWER:
        for place, gap in gaps.get(kind, {}).items():
            if place.left not in _IN_ANSWER:
                firsts.setdefault(place, []).append(gap)
    opening = {place: common_beginning(some) for place, some in firsts.items()}
    thoughts = [gap for some in gaps.values() for place, gap in some.items() if place.left == "thinking"]
    after_thought = common_beginning(thoughts) if thoughts else ()
    rest = {
        kind: {
            place: after(gap, opening[place])
            if kind in _IN_ANSWER and place in opening
            else after(gap, after_thought)
            if place.left == "thinking"
            else gap
            for place, gap in some.items()
        }
        for kind, some in gaps.items()
    }
    return _Parts(opening, after_thought, rest)


def _answer(parts: _Parts, pattern: Pattern) -> str:
    text = _go(parts.opening)
    if pattern.thinks:
        late = {place.before_last for place in parts.gaps["thinking"]} == {False}
        text += "{{ if and .Thinking (gt $i $last) }}" if late else "{{ if .Thinking }}"
        text += f"{_go(parts.gaps['thinking'])}{{{{ .Thinking }}}}{_written(parts.after_thought)}"
        text += '{{ $left = "thinking" }}{{ end }}'
    left_out = pattern.has_tools and not pattern.calls_have_content
    text += "{{ if and .Content (not .ToolCalls) }}" if left_out else "{{ if .Content }}"
    text += _atom("assistant", parts, pattern) + "{{ end }}"
    if pattern.has_tools:
        order = _in_order(parts.gaps, ("name", "arguments", "id"))
        calls = "".join(_atom(kind, parts, pattern) for kind in order)
        if not pattern.several_calls:  # the first is all that the template writes
            calls = f"{{{{ if not $n }}}}{calls}{{{{ end }}}}"
        text += f"{{{{ if .ToolCalls }}}}{{{{ range $n, $call := .ToolCalls }}}}{calls}{{{{ end }}}}{{{{ end }}}}"
    return text


def _atom(kind: Kind, parts: _Parts, pattern: Pattern) -> str:
    """A text with what stands before it. Ollama reads the mark of a call in one piece."""
    if kind == "arguments":
        value = arguments(spaced=pattern.forms[kind] == 0)
    else:
        as_json = "json " if kind == "tool" and pattern.forms[kind] == 0 else ""
        value = f"{{{{ {as_json}{_FIELDS[kind]} }}}}"
    return f'{_go(parts.gaps[kind], hoist=kind != "name")}{value}{{{{ $left = "{kind}" }}}}'


def _in_order(gaps: Mapping[Kind, Gaps], kinds: Sequence[Kind]) -> list[Kind]:
    """Those of `kinds` that the template writes, in its order: each follows the one before in some chat."""
    there = [kind for kind in kinds if kind in gaps]
    first = [kind for kind in there if any(place.left not in there for place in gaps[kind])]
    order = first[:1]
    while following := [
        kind for kind in there if kind not in order and any(place.left == order[-1] for place in gaps[kind])
    ]:
        order.append(following[0])
    if len(order) < len(there):
        raise InexpressibleError("it writes the parts of a call in several orders")
    return order


def _ends(parts: _Parts) -> str:
    """After an answer nothing is written: Ollama has it continued."""
    lefts = sorted({place.left for place in parts.gaps["end"]}, key=_ORDER.index)
    return "if " + _is_left(lefts)


def _go(gaps: Gaps, *, hoist: bool = True) -> str:
    """The gap at any of these places, with as few conditions as tell them apart.

    With `hoist`, what all of them begin or end with is written once, outside the conditions.
    """
    if len(set(gaps.values())) <= 1:
        return _written(next(iter(gaps.values()), ()))
    if hoist:
        first = _whole_lines(common_beginning(list(gaps.values())), _LINE_ENDS)
        rest = {place: after(gap, first) for place, gap in gaps.items()}
        last = mirrored(_whole_lines(common_beginning([mirrored(gap) for gap in rest.values()]), _LINE_BEGINS))
        rest = {place: mirrored(after(mirrored(gap), mirrored(last))) for place, gap in rest.items()}
        return _written(first) + _choice(rest, hoist=True) + _written(last)
    return _choice(gaps, hoist=False)


def _choice(gaps: Gaps, *, hoist: bool) -> str:
    name = min(Place._fields, key=lambda field: _different(_split(gaps, field)))
    groups = _split(gaps, name)
    if name == "left":
        branches: dict[str, list[Kind]] = {}
        for kind in _ORDER:
            if kind in groups:
                branches.setdefault(_go(groups[kind], hoist=hoist), []).append(kind)
        tests = [(_is_left(kinds), text) for text, kinds in branches.items()]
    else:
        tests = [(_CONDITIONS[name], _go(groups[True], hoist=hoist)), ("", _go(groups[False], hoist=hoist))]
        if not tests[0][1]:
            tests = [(f"not ({_CONDITIONS[name]})", tests[1][1]), ("", "")]
    *others, (_test, otherwise) = tests
    text = "{{ else ".join(f"if {test} }}}}{text}" for test, text in others)
    return "{{ " + text + (f"{{{{ else }}}}{otherwise}" if otherwise else "") + "{{ end }}"


def _split(gaps: Gaps, field: str) -> dict[object, dict[Place, Gap]]:
    groups: dict[object, dict[Place, Gap]] = {}
    for place, gap in gaps.items():
        groups.setdefault(getattr(place, field), {})[place] = gap
    return groups


def _different(groups: Mapping[object, Gaps]) -> tuple[bool, int]:
    return len(groups) < 2, sum(len(set(group.values())) for group in groups.values())


def _is_left(kinds: Sequence[Kind]) -> str:
    return "eq $left " + " ".join(f'"{kind}"' for kind in kinds)


def _whole_lines(gap: Gap, ends: re.Pattern[str]) -> Gap:
    """The gap up to where a line or a mark ends, so that no mark is written in two pieces."""
    *whole, last = gap or ("",)
    if not isinstance(last, str):
        return gap
    kept = ends.match(last)
    return (*whole, kept[0]) if kept else tuple(whole)


def _written(gap: Gap) -> str:
    return "".join(_literal(part) if isinstance(part, str) else _special(part) for part in gap)


def _literal(text: str) -> str:
    """Text as it stands in a template, within the three quotation marks of a Modelfile."""
    for part in ("{{", '"""'):
        text = text.replace(part, "\0" + part + "\0")
    marks = {"{{": '{{ "{{" }}', '"""': '{{ "\\x22\\x22\\x22" }}'}
    return "".join(marks.get(part, part) for part in text.split("\0"))


def _special(part: Special) -> str:
    if part.tools:
        return definitions(part.tools._replace(between=_literal(part.tools.between)))
    if part.what == "system":
        return "{{ $.System }}"
    if part.format == "%Y-%m-%d":
        return "{{ currentDate }}"
    months = "{{ else ".join(f'if eq . "{number:02}" }}}}{month}' for number, month in enumerate(_MONTHS, 1))
    month = f"{{{{ with slice (currentDate) 5 7 }}}}{{{{ {months}{{{{ end }}}}{{{{ end }}}}"
    return f"{{{{ slice (currentDate) 8 10 }}}} {month} {{{{ slice (currentDate) 0 4 }}}}"


def _without_bos(gaps: Mapping[Kind, Gaps], bos: str) -> Mapping[Kind, Gaps]:
    if not bos or any(common_beginning([gap, (bos,)]) != (bos,) for gap in _at_start(gaps)):
        return gaps
    return {
        kind: {place: after(gap, (bos,)) if place.left == "start" else gap for place, gap in some.items()}
        for kind, some in gaps.items()
    }


def _at_start(gaps: Mapping[Kind, Gaps]) -> list[Gap]:
    return [gap for some in gaps.values() for place, gap in some.items() if place.left == "start"]
