"""What takes seconds to import."""

from __future__ import annotations

import gc
from threading import Lock

_one_at_a_time = Lock()


def load() -> None:
    """Import what training needs; where another thread is at it already, return when that is done."""
    with _one_at_a_time:
        gc.disable()  # it would look through all of it again and again, and nothing there is garbage
        try:
            import peft  # noqa: F401 - the functions that use it import it by themselves

        finally:
            gc.freeze()
            gc.enable()
