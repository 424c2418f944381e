"""A bridge, and the command line in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from command_line import Ran
from ftbridge import Bridge
from ftbridge.cli.app import run
from ftbridge.cli.output import console, side

Here: TypeAlias = Callable[..., Ran]


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with Bridge() as made:
        yield made


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """Run `ftbridge` with these words in this process, on a terminal of so many columns."""

    def call(*words: str | Path, columns: int = 120) -> Ran:
        monkeypatch.setenv("COLUMNS", str(columns))
        console.cache_clear()
        side.cache_clear()
        capsys.readouterr()
        code = run([str(word) for word in words])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return call
