"""A terminal in memory: a command runs in a pseudo-terminal, and what it writes is drawn as a person would see it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pyte

_PATIENCE = 60.0


class Terminal:
    """`ftbridge`, or another `program`, with these words on a terminal of that size.

    `stdout` or `stderr` may go elsewhere.
    `history` has the lines that have scrolled out at the top.
    """

    def __init__(
        self,
        *words: str | Path,
        columns: int = 80,
        lines: int = 24,
        environment: Mapping[str, str] | None = None,
        stdout: IO[bytes] | None = None,
        stderr: IO[bytes] | None = None,
        program: Sequence[str] = (sys.executable, "-m", "ftbridge"),
    ) -> None:
        self._screen = pyte.HistoryScreen(columns, lines, history=1000)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        self._leader, follower = pty.openpty()
        self._resize(columns, lines)
        removed = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
        kept = {name: value for name, value in os.environ.items() if name not in removed}
        self.process = subprocess.Popen(
            [*program, *map(str, words)],
            stdin=follower,
            stdout=stdout or follower,
            stderr=stderr or follower,
            env={**kept, "TERM": "xterm-256color", **(environment or {})},
            start_new_session=True,
        )
        os.close(follower)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _problem: object, _trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._leader)

    @property
    def shown(self) -> list[str]:
        """The lines on the screen now, without the empty ones at its end."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip().split("\n")

    @property
    def everything(self) -> list[str]:
        """What has scrolled out at the top, and what is on the screen now."""
        width = self._screen.columns
        gone = ["".join(line[at].data for at in range(width)).rstrip() for line in self._screen.history.top]
        return [*gone, *self.shown]

    @property
    def cursor_hidden(self) -> bool:
        return bool(self._screen.cursor.hidden)

    def until(self, reached: Callable[[list[str]], bool]) -> list[str]:
        """The screen as soon as it is like that."""
        deadline = time.monotonic() + _PATIENCE
        while not reached(self.shown):
            assert self._read(0.1), f"the command has ended:\n{self}"
            assert time.monotonic() < deadline, f"this is not seen:\n{self}"
        return self.shown

    def ended(self) -> int:
        """The exit code of the command, when all that it wrote is drawn."""
        deadline = time.monotonic() + _PATIENCE
        while self._read(0.1):
            assert time.monotonic() < deadline, f"the command does not end:\n{self}"
        return self.process.wait(timeout=10)

    def type(self, text: str) -> None:
        """What a person types; a control character is the key that makes it."""
        os.write(self._leader, text.encode())

    def press_ctrl_c(self) -> None:
        """As a terminal does it: it writes ^C, and interrupts the command."""
        self._draw(b"^C")
        os.killpg(self.process.pid, signal.SIGINT)

    def resize(self, columns: int, lines: int) -> None:
        """As a person does it with the mouse."""
        self._screen.resize(lines, columns)
        self._resize(columns, lines)

    def __str__(self) -> str:
        return "\n".join(self.everything)

    def _resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self, seconds: float) -> bool:
        """Draw what has been written; whether there may be more."""
        if not select.select([self._leader], [], [], seconds)[0]:
            return self.process.poll() is None
        try:
            written = os.read(self._leader, 65536)
        except OSError:  # EIO: nobody writes any more
            return False
        self._draw(written)
        return bool(written)

    def _draw(self, written: bytes) -> None:
        self.written += written
        self._stream.feed(written)
