"""Where ftbridge keeps its state: `$FTBRIDGE_HOME`, or the platform's user data folder."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from ftbridge.errors import StateError


def find_home() -> Path:
    """The home folder, made if need be. Raises `StateError` where it cannot be written."""
    given = os.environ.get("FTBRIDGE_HOME")
    home = Path(given).expanduser().absolute() if given else user_data_path("ftbridge", appauthor=False)
    try:
        home.mkdir(parents=True, exist_ok=True)
        writable = os.access(home, os.W_OK | os.X_OK)
    except OSError as problem:
        raise _unusable(home, problem.strerror or str(problem)) from problem
    if not writable:
        raise _unusable(home, "it is not writable")
    return home


def _unusable(home: Path, why: str) -> StateError:
    return StateError(
        f"the home folder {home} cannot be used: {why}",
        hint="Set FTBRIDGE_HOME to a folder that you can write to.",
    )
