"""The slow imports, in a function that several threads may call."""

from __future__ import annotations

import gc
from threading import Lock

_lock = Lock()


def load() -> None:
    """Import what training needs; where another thread is doing so, return when it has finished."""
    with _lock:
        gc.disable()  # collection would scan all of it again and again, and none of it is garbage
        try:
            import peft  # noqa: F401 - the functions that use it import it themselves

        finally:
            gc.freeze()
            gc.enable()
