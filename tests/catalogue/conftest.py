"""A bridge, and the command line in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from command_line import Cli, in_this_process
from ftbridge import Bridge


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with Bridge() as made:
        yield made


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return in_this_process(capsys, monkeypatch)
