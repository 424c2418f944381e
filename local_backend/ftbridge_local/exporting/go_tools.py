"""Definitions and calls of tools in a template of Ollama's, with the spaces that Python's JSON has.

Models were trained on those, and Ollama's own JSON has none. Its templates see, by its api/types.go and
template/template.go (2026-11), a tool's Type and its Function with Name, Description and Parameters (Type, Properties,
Required); a property's Type, Description and Enum; and Arguments as a map. Maps are gone through in the order of their
keys. A property that nests others, and a value that is a list or an object, is written as Ollama writes it.
"""

from __future__ import annotations

from typing import NamedTuple

from ftbridge_local.exporting.gap import Tools


def arguments(*, spaced: bool) -> str:
    """The arguments of a call."""
    return _Json(None).map(0, ".Function.Arguments", "{{ json . }}") if spaced else "{{ json .Function.Arguments }}"


def definitions(tools: Tools) -> str:
    """The definitions of all tools."""
    between = f"{{{{ if $n }}}}{tools.between}{{{{ end }}}}"
    return f"{{{{ range $n, $tool := $.Tools }}}}{between}{_tool(_Json(tools.indent), tools.key)}{{{{ end }}}}"


def _tool(form: _Json, key: str | None) -> str:
    depth = 0 if key else 1
    single = form.object(
        depth + 3,
        ("type", "", "{{ json .Type }}"),
        ("description", ".Description", "{{ json .Description }}"),
        ("enum", ".Enum", form.list(depth + 4, ".Enum")),
    )
    each = f"{{{{ if or .AnyOf .Items .Properties }}}}{{{{ json . }}}}{{{{ else }}}}{single}{{{{ end }}}}"
    given = "$tool.Function.Parameters"
    parameters = form.object(
        depth + 1,
        ("type", "", f"{{{{ json {given}.Type }}}}"),
        ("properties", "", form.map(depth + 2, f"{given}.Properties", each)),
        ("required", f"{given}.Required", form.list(depth + 2, f"{given}.Required")),
    )
    function = form.object(
        depth,
        ("name", "", "{{ json $tool.Function.Name }}"),
        ("description", "$tool.Function.Description", "{{ json $tool.Function.Description }}"),
        ("parameters", "", parameters),
    )
    return function if key else form.object(0, ("type", "", "{{ json $tool.Type }}"), ("function", "", function))


class _Json(NamedTuple):
    """How JSON is laid out: with an indent, or else on one line; `depth` is that of the braces."""

    indent: int | None

    def line(self, depth: int) -> str:
        return "" if self.indent is None else "\n" + " " * self.indent * depth

    def comma(self, depth: int) -> str:
        return ", " if self.indent is None else "," + self.line(depth)

    def object(self, depth: int, *pairs: tuple[str, str, str]) -> str:
        """Of a key, the field that it is left out without, and its value; the first one is always there."""
        text = ""
        for key, needed, value in pairs:
            pair = f'{self.comma(depth + 1) if text else ""}"{key}": {value}'
            text += f"{{{{ if {needed} }}}}{pair}{{{{ end }}}}" if needed else pair
        return f"{{{self.line(depth + 1)}{text}{self.line(depth)}}}"

    def map(self, depth: int, field: str, value: str) -> str:
        """Each key of a map with its value, of which `value` is the text where it is dot."""
        first = f"{{{{ if $more }}}}{self.comma(depth + 1)}{{{{ else }}}}{self.line(depth + 1)}{{{{ end }}}}"
        first = first if self.line(0) else f"{{{{ if $more }}}}{self.comma(0)}{{{{ end }}}}"
        each = f"{first}{{{{ json $key }}}}: {value}{{{{ $more = true }}}}"
        closing = f"{{{{ if $more }}}}{self.line(depth)}{{{{ end }}}}" if self.line(0) else ""
        return f"{{{{{{ $more := false }}}}{{{{ range $key, $value := {field} }}}}{each}{{{{ end }}}}{closing}}}"

    def list(self, depth: int, field: str) -> str:
        each = f"{{{{ if $n }}}}{self.comma(depth + 1)}{{{{ end }}}}{{{{ json $item }}}}"
        items = f"{{{{ range $n, $item := {field} }}}}{each}{{{{ end }}}}"
        return f"[{self.line(depth + 1)}{items}{self.line(depth)}]"
