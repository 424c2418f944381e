"""Values as a table of HTML, which notebooks show: nothing in them becomes markup."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

_LONGEST = 200  # characters of a value


def html_table(values: Mapping[str, Any]) -> str:
    """A row for each value that is not `None`; a long one is cut."""
    rows = [
        f"<tr><th>{escape(name)}</th><td>{_cell(value)}</td></tr>"
        for name, value in values.items()
        if value is not None
    ]
    return f"<table>{''.join(rows)}</table>"


def _cell(value: Any) -> str:
    text = str(value)
    return escape(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")
