"""Where the log of the `ftbridge` logger goes: to a file with --log-file, to stderr with --verbose.

Records with a `reason` to wait, such as retries, are always printed on stderr, so that no command that waits is silent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ftbridge.cli.output import print_message
from ftbridge.errors import InputError
from ftbridge.files import require_folder_of
from ftbridge.foreign.redaction import redact
from ftbridge.wording import escaped

_PRINTED = ("ftbridge.context", "ftbridge.cli.app")
"""Loggers of warnings and errors, which the commands print on stderr in any case."""
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_TIME = "%Y-%m-%dT%H:%M:%S%z"


@contextmanager
def logging_to(file: Path | None, *, verbose: bool) -> Iterator[None]:
    """Log to `file`, and with `verbose` to stderr, until the block ends. Raises `InputError` for a bad file."""
    logger = logging.getLogger("ftbridge")
    before = logger.level
    handlers: list[logging.Handler] = [_Stderr(everything=verbose)]
    if file:
        handlers.append(_open(file))
    logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


def _open(file: Path) -> logging.Handler:
    from logging.handlers import WatchedFileHandler  # follows a file that is rotated while a watch runs for days

    require_folder_of(file)
    try:
        handler = WatchedFileHandler(file, encoding="utf-8")
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"the log file {file} cannot be written: {reason}", hint="Name another file.") from None
    handler.setFormatter(_Escaped(_FORMAT, _TIME))
    return handler


class _Escaped(logging.Formatter):
    """A record per line: what comes from outside can neither steer a terminal nor start a line that looks like ours.

    Tracebacks have texts that no error of ftbridge's has masked.
    """

    def format(self, record: logging.LogRecord) -> str:
        return escaped(redact(super().format(record)), keep="\n").replace("\n", "\n    ")


class _Stderr(logging.Handler):
    """Prints each reason to wait once, or everything that is not printed anyway."""

    def __init__(self, *, everything: bool) -> None:
        super().__init__()
        self._everything = everything
        self._reasons: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if self._everything and record.name not in _PRINTED:
            print_message(f"{record.levelname.lower()}: {record.getMessage()}", style="dim")
        elif (reason := record.__dict__.get("reason")) and reason not in self._reasons:
            self._reasons.add(reason)  # a watch would print the same all day
            print_message(f"note: {record.getMessage()}", style="yellow")
