"""Values as a table of HTML, which notebooks show: nothing in them becomes markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST = 200  # characters of a value


def html_table(values: Mapping[str, Any]) -> str:
    """A row for each value that is not `None`; a long one is cut."""
    from html import escape  # which takes time to load, and only notebooks need it

    rows = [
        f"<tr><th>{escape(name)}</th><td>{escape(_cell(value))}</td></tr>"
        for name, value in values.items()
        if value is not None
    ]
    return f"<table>{''.join(rows)}</table>"


def _cell(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
