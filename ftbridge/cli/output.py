"""What the commands print: sentences and tables for people, one JSON document for programs.

Results go to stdout, messages to stderr. Nothing that comes from outside reaches the terminal unescaped, none of it is
read as rich markup, and no key in use is ever printed.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.errors import FtbridgeError, UsageError
from ftbridge.foreign.redaction import without_keys_in_use

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ftbridge.bridge import Bridge
    from ftbridge.context import Context

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, for programs.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print a JSON document on each line, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
JobId = Annotated[
    str,
    typer.Argument(
        help="The job: its id, the beginning of it, its name, 'last', or PROVIDER:last.", show_default=False
    ),
]
Exit = typer.Exit
UNCLEAR = 4
"""The exit code while it is not known whether a vendor has a job: as after network trouble, a later try can tell."""

_NOT_ASCII = re.compile(r"[^\x00-\x7e]")
_DIGITS = 6  # decimal places in CSV
_NARROW = 110  # characters of a terminal below which tables have only their most important columns
_GAP = 3  # characters between two columns of a table, and at both its edges together
_LEAST = 16  # characters that the folded column always gets
_PAIR = 2  # columns of a table of names and values


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


class Stopped(BaseException):
    """Ctrl-C, where the command has said already what that means: no error handler may take it for an error."""


_drawing: list[Console] = []  # the console of a display that is redrawn on the terminal, while there is one


@contextmanager
def messages_above(display: Console) -> Iterator[None]:
    """Until the block ends, print messages above what that console redraws, where they share the terminal with it."""
    if not sys.stderr.isatty():  # they go elsewhere, and cannot spoil the display
        yield
        return
    _drawing.append(display)
    try:
        yield
    finally:
        _drawing.remove(display)


def open_bridge(*, once: bool = False) -> Bridge:
    """The bridge of this home; its warnings go to stderr, with `once` the same one only once."""
    from ftbridge.bridge import Bridge

    return Bridge(warn=cache(_note) if once else _note)


def open_context() -> Context:
    """The home without its jobs: for what only reads datasets, and so need not load a database."""
    from ftbridge.context import Context

    return Context(warn=_note)


def _note(warning: str) -> None:
    print_message(f"note: {_one_line(warning)}", style="yellow")


def print_message(sentence: str, *, style: str = "") -> None:
    """A message for people, on stderr; on a terminal wrapped between words."""
    where = _drawing[-1] if _drawing else error_console()
    where.print(clean(sentence), style=style or None, soft_wrap=not where.is_terminal)


def line_end() -> str:
    """What ends the line of the ^C that a terminal writes at Ctrl-C; nothing where messages go elsewhere."""
    return "\n" if sys.stderr.isatty() else ""


def print_line(text: str, *, style: str = "") -> None:
    """One line of the result, for people."""
    console().print(clean(text), style=style or None, soft_wrap=True)


def print_sentence(text: str) -> None:
    """One line of the result that on a terminal is wrapped between words, so that no number is broken."""
    console().print(clean(text), soft_wrap=not console().is_terminal)


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
    """`text` without keys in use, and with every character escaped that could control a terminal, except line ends."""
    from ftbridge.wording import escaped

    return escaped(without_keys_in_use(text), keep="\n")


def _one_line(text: str) -> str:
    """`text` with line ends escaped as well: a file's name, or a vendor, may begin no line, where CI reads commands."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


def check_that_one_can_ask(doing: str, hint: str, *, as_json: bool) -> None:
    """Raises `UsageError` where nobody is there to confirm it: the output is for a program, or there is no terminal."""
    if as_json or not sys.stdin.isatty():
        raise UsageError(f"{doing} has to be confirmed", hint=hint)


def print_json(document: Any) -> None:
    """One JSON document on stdout, on one line; what could control a terminal is escaped, which means the same."""
    text = without_keys_in_use(json.dumps(document, ensure_ascii=not _takes_unicode()))
    sys.stdout.write(_NOT_ASCII.sub(_printable_or_escaped, text) + "\n")
    sys.stdout.flush()


def print_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A table as CSV on stdout: unknown values are empty, and numbers have at most six decimal places."""
    writer = csv.writer(sys.stdout)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in names])


def _cell(value: Any) -> Any:
    return round(value, _DIGITS) if isinstance(value, float) else clean(value) if isinstance(value, str) else value


def _takes_unicode() -> bool:
    return (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def _printable_or_escaped(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]


def print_error(error: FtbridgeError, *, as_json: bool) -> None:
    """An error, as the sentence and its hint, or as JSON on stdout."""
    if as_json:
        print_json({"error": error.describe()})
        return
    print_message(f"error: {_one_line(error.message)}", style="bold red")
    if error.hint:
        print_message(f"       {_one_line(error.hint)}")


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), fold: int | None = None
) -> Table:
    """A plain table; the columns in `right` are right-aligned.

    Only the column `fold` is wrapped, at hyphens, so that names of models stay readable. Where the terminal has no
    room for the other columns, each row becomes a list of its values, so that no number, date or ID is cut.
    """
    from rich import box
    from rich.table import Table

    cells = [[clean(cell) for cell in row] for row in rows]
    if len(headers) > _PAIR and _least_width(headers, cells, fold) > console().width:
        return table(["", ""], _listed(headers, cells), fold=1)
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(headers))
    for index, header in enumerate(headers):
        made.add_column(
            header,
            justify="right" if index in right else "left",
            overflow="fold",
            no_wrap=fold is not None and index != fold,
        )
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


def _least_width(headers: Sequence[str], rows: Sequence[Sequence[str]], fold: int | None) -> int:
    """The width in which nothing is broken but words of the column `fold`, or of none where all are wrapped."""
    if fold is None:
        words = ["\n".join(header.split()) for header in headers]
        rows = [["\n".join(cell.split()) for cell in row] for row in rows]
        return sum(_widths(words, rows)) + _GAP * len(headers)
    widths = _widths(headers, rows)
    return sum(widths) - widths[fold] + min(widths[fold], _LEAST) + _GAP * len(headers)


def _listed(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The same as pairs of header and value, with an empty line between two rows."""
    lists = [[[header, cell] for header, cell in zip(headers, row, strict=True) if cell] for row in rows]
    return [pair for index, pairs in enumerate(lists) for pair in ([["", ""]] if index else []) + pairs]


def _widths(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column on the terminal: that of its longest line."""
    from rich.cells import cell_len

    columns = zip(headers, *rows, strict=True)
    return [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in columns]


def _folded(text: str, width: int) -> str:
    lines = [textwrap.wrap(line, width) for line in text.split("\n")]
    return "\n".join(itertools.chain(*lines))


def narrow() -> bool:
    """Whether the terminal has room for the most important columns only."""
    return console().width < _NARROW


def number(value: float | None, digits: int = 3) -> str:
    """A number for people; a dash where it is not known."""
    return "–" if value is None else f"{value:.{digits}f}"
