"""What the commands print: sentences and tables for people, one JSON document for programs.

Results go to stdout, messages to stderr. Nothing that comes from outside reaches the terminal unescaped, and none of
it is read as rich markup.
"""

from __future__ import annotations

import itertools
import json
import sys
import textwrap
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.errors import FtbridgeError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ftbridge.bridge import Bridge

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, for programs.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print a JSON document on each line, for programs.")]
JobId = Annotated[str, typer.Argument(help="The job's id, the beginning of it, or 'last'.", show_default=False)]
Exit = typer.Exit
UNCLEAR = 4
"""The exit code while it is not known whether a vendor has a job: as after network trouble, a later try can tell."""

_NARROW = 110  # characters of a terminal below which tables have only their most important columns
_GAP = 3  # characters between two columns of a table, and at both its edges together
_LEAST = 16  # characters that the folded column always gets


@cache
def console() -> Console:
    """Where results go."""
    return _console(stderr=False)


@cache
def error_console() -> Console:
    """Where messages go."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if made.width < _LEAST:  # COLUMNS=0, where rich would print nothing at all
        made.width = _LEAST
    return made


def open_bridge() -> Bridge:
    """The bridge of this home; its warnings go to stderr."""
    from ftbridge.bridge import Bridge

    return Bridge(warn=lambda warning: print_message(f"note: {warning}", style="yellow"))


def print_message(sentence: str, *, style: str = "") -> None:
    """A message for people, on stderr."""
    error_console().print(clean(sentence), style=style or None, soft_wrap=True)


def print_line(text: str, *, style: str = "") -> None:
    """One line of the result, for people."""
    console().print(clean(text), style=style or None, soft_wrap=True)


def print_note(note: str, *, indent: str = "  ") -> None:
    """A note below what it belongs to, wrapped and indented; URLs in it are not broken."""
    wrapper = textwrap.TextWrapper(
        width=console().width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in wrapper.wrap(note):
        print_line(line)


def clean(text: str) -> str:
    """`text` with every character escaped that could control a terminal, except line ends."""
    from ftbridge.wording import escaped

    return escaped(text, keep="\n")


def print_json(document: Any) -> None:
    """One JSON document on stdout, on one line."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_error(error: FtbridgeError, *, as_json: bool) -> None:
    """An error, as the sentence and its hint, or as JSON on stdout."""
    if as_json:
        print_json({"error": error.describe()})
        return
    print_message(f"error: {error.message}", style="bold red")
    if error.hint:
        print_message(f"       {error.hint}")


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), fold: int | None = None
) -> Table:
    """A plain table; the columns in `right` are right-aligned.

    Only the column `fold` is wrapped, at hyphens, so that names of models stay readable.
    """
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(headers))
    for index, header in enumerate(headers):
        made.add_column(
            header,
            justify="right" if index in right else "left",
            overflow="fold" if fold in (None, index) else "ellipsis",
            no_wrap=fold is not None and index != fold,
        )
    cells = [[clean(cell) for cell in row] for row in rows]
    if fold is not None:
        others = sum(width for index, width in enumerate(_widths(headers, cells)) if index != fold)
        room = max(console().width - others - _GAP * len(headers), _LEAST)
        cells = [[_folded(cell, room) if index == fold else cell for index, cell in enumerate(row)] for row in cells]
    for row in cells:
        made.add_row(*row)
    return made


def fits(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table of them fits on the terminal without wrapping."""
    return sum(_widths(headers, rows)) + _GAP * len(headers) <= console().width


def _widths(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column: that of its longest line."""
    columns = zip(headers, *rows, strict=True)
    return [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]


def _folded(text: str, width: int) -> str:
    lines = [textwrap.wrap(line, width) for line in text.split("\n")]
    return "\n".join(itertools.chain(*lines))


def narrow() -> bool:
    """Whether the terminal has room for the most important columns only."""
    return console().width < _NARROW


def number(value: float | None, digits: int = 3) -> str:
    """A number for people; a dash where it is not known."""
    return "–" if value is None else f"{value:.{digits}f}"
