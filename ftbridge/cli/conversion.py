"""What a conversion has changed and could not do: a table for people, a document for programs."""

from __future__ import annotations

from typing import Any

from ftbridge.cli.findings import finding_document, omitted_document
from ftbridge.cli.output import console, table
from ftbridge.dataset import Conversion
from ftbridge.foreign.paths import path_text


def conversion_document(made: Conversion, to: str) -> dict[str, Any]:
    """The conversion as `--json` prints it."""
    return {
        "out": None if made.impossible else path_text(made.out),
        "target": to,
        "exact": made.exact,
        "changed": {code: {"count": count, "first_line": line} for code, (count, line) in made.changed.items()},
        "impossible": [finding_document(finding) for finding in made.impossible],
        "omitted": omitted_document(made.omitted),
    }


def print_changes(made: Conversion) -> None:
    """Each change with how many rows have it, and where the first is."""
    if made.changed:
        rows = [[code, f"{count:,}", f"{line}"] for code, (count, line) in made.changed.items()]
        console().print(table(["changed", "rows", "first line"], rows, right=(1, 2)))
