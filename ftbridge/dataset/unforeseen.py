"""What no rule foresaw in a row is one finding about that row: the others are read all the same."""

from __future__ import annotations

from contextlib import suppress

from ftbridge.dataset.findings import Diagnostics, RowIsFull
from ftbridge.errors import FtbridgeError, InputError
from ftbridge.wording import printable


def report_unforeseen(problem: Exception, diagnostics: Diagnostics) -> None:
    """Report what was raised by the rules for the row on the current line.

    Raises `InputError` where memory ran out, and passes on what is an error with a sentence of its own.
    """
    if isinstance(problem, FtbridgeError):
        raise problem
    if isinstance(problem, MemoryError):
        message = f"line {diagnostics.line:,} needs more memory than there is"
        raise InputError(message, hint="Divide the row, or read the file where there is more memory.") from None
    with suppress(RowIsFull):
        if isinstance(problem, RecursionError):
            too_deep(diagnostics)
        elif not isinstance(problem, RowIsFull):
            reason = printable(f"{type(problem).__name__}: {problem}", 200)
            fix = "Write the row with a JSON library, or remove it; it may be a bug of ftbridge."
            diagnostics.error("$", "unreadable", f"the row cannot be read: {reason}", fix)


def too_deep(diagnostics: Diagnostics) -> None:
    """The finding about a row in which values are nested deeper than they can be followed."""
    diagnostics.error("$", "too_deep", "the row is nested too deeply to be read", "Flatten it: no vendor accepts it.")
