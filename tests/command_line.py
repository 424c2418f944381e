"""Running the command line as a user does: in a process of its own, or, far quicker, in this one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

from ftbridge import Bridge
from ftbridge.cli.app import run
from ftbridge.cli.output import console, error_console


class Ran(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli: TypeAlias = Callable[..., Ran]


def in_this_process(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run `ftbridge` with these words here, on a terminal of so many columns; its bridges are closed behind it."""
    opened: list[Bridge] = []

    class Remembered(Bridge):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            opened.append(self)

    monkeypatch.setattr("ftbridge.bridge.Bridge", Remembered)

    def call(*words: str | Path, columns: int = 120) -> Ran:
        monkeypatch.setenv("COLUMNS", str(columns))
        console.cache_clear()
        error_console.cache_clear()
        capsys.readouterr()
        code = run([str(word) for word in words])
        printed = capsys.readouterr()
        while opened:
            opened.pop().close()
        return Ran(code, printed.out, printed.err)

    return call
