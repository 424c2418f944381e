"""What the commands print: sentences and tables for people, one JSON document for programs.

Results go to stdout, everything said on the way to stderr. Nothing that comes from outside
reaches the terminal unescaped, and none of it is read as rich markup.
"""

from __future__ import annotations

import json
import sys
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
Exit = typer.Exit


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


def clean(text: str) -> str:
    """`text` with every character escaped that could steer a terminal; line ends stay."""
    from ftbridge.dataset.printable import escaped

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
    """A plain table; the columns in `right` are set flush right, and of all only `fold` is ever folded."""
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
    for row in rows:
        made.add_row(*map(clean, row))
    return made


def number(value: float | None, digits: int = 3) -> str:
    """A figure for people; a dash where nobody knows."""
    return "–" if value is None else f"{value:.{digits}f}"
