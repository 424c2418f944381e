"""Where ftbridge keeps its state: `$FTBRIDGE_HOME`, or the platform's user data folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_data_path

from ftbridge.errors import StateError
from ftbridge.files import make_folder


def find_home() -> Path:
    """The home folder, created if it is missing. Raises `StateError` where it is not writable."""
    given = os.environ.get("FTBRIDGE_HOME")
    home = Path(given).expanduser().absolute() if given else user_data_path("ftbridge", appauthor=False)
    with usable(home):
        make_folder(home)
        if not os.access(home, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it is not writable")
    return home


@contextmanager
def usable(home: Path) -> Iterator[None]:
    """A block that writes in the home: raises `StateError` where it is not writable, or full."""
    try:
        yield
    except OSError as problem:
        raise StateError(
            f"the home folder {home} cannot be used: {problem.strerror or problem}",
            hint="Free some space, or set FTBRIDGE_HOME to a folder that you can write to.",
        ) from problem
