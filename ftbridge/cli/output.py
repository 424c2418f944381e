"""What the commands print: sentences and tables for people, one JSON document for programs.

Results go to stdout, everything said on the way to stderr. Nothing that comes from outside
reaches the terminal unescaped, and none of it is read as rich markup.
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
JobId = Annotated[
    str, typer.Argument(help="The job's id, its beginning, or 'last', the newest not refused.", show_default=False)
]
Exit = typer.Exit
UNCLEAR = 4
"""The exit code while it is not known whether a vendor has a job: as after network trouble, a later try can tell."""

_NARROW = 110  # columns below which tables have only what cannot be missed
_GAP = 3  # columns between two columns of a table, and at both its edges together
_LEAST = 16  # columns that the folded one always gets


@cache
def console() -> Console:
    """Where results go."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False)


@cache
def side() -> Console:
    """Where everything said on the way goes."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def open_bridge() -> Bridge:
    """The bridge of this home; what has to be said is said on stderr."""
    from ftbridge.bridge import Bridge

    return Bridge(warn=lambda sentence: say(f"note: {sentence}", style="yellow"))


def say(sentence: str, *, style: str = "") -> None:
    """One sentence for people, beside the result."""
    side().print(clean(sentence), style=style or None, soft_wrap=True)


def show(text: str, *, style: str = "") -> None:
    """One line of the result, for people."""
    console().print(clean(text), style=style or None, soft_wrap=True)


def show_note(note: str) -> None:
    """A sentence below what it is about, set in; addresses in it are left whole."""
    whole = textwrap.TextWrapper(
        width=console().width,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in whole.wrap(note):
        show(line)


def clean(text: str) -> str:
    """`text` with every character escaped that could steer a terminal; line ends stay."""
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
    say(f"error: {error.message}", style="bold red")
    if error.hint:
        say(f"       {error.hint}")


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), fold: int | None = None
) -> Table:
    """A plain table; the columns in `right` are set flush right.

    Of all columns only `fold` is ever folded, at its hyphens, so that names of models can still be read.
    """
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(headers))
    for place, header in enumerate(headers):
        made.add_column(
            header,
            justify="right" if place in right else "left",
            overflow="fold" if fold in (None, place) else "ellipsis",
            no_wrap=fold is not None and place != fold,
        )
    cells = [[clean(cell) for cell in row] for row in rows]
    if fold is not None:
        others = sum(width for place, width in enumerate(_widths(headers, cells)) if place != fold)
        room = max(console().width - others - _GAP * len(headers), _LEAST)
        cells = [[_folded(cell, room) if place == fold else cell for place, cell in enumerate(row)] for row in cells]
    for row in cells:
        made.add_row(*row)
    return made


def fits(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table of them has room for every cell in one line."""
    return sum(_widths(headers, rows)) + _GAP * len(headers) <= console().width


def _widths(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """What each column needs for its longest line."""
    columns = zip(headers, *rows, strict=True)
    return [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]


def _folded(text: str, width: int) -> str:
    lines = [textwrap.wrap(line, width) for line in text.split("\n")]
    return "\n".join(itertools.chain(*lines))


def narrow() -> bool:
    """Whether there is room for what matters most alone."""
    return console().width < _NARROW


def number(value: float | None, digits: int = 3) -> str:
    """A figure for people; a dash where nobody knows."""
    return "–" if value is None else f"{value:.{digits}f}"
