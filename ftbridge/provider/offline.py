"""Whether converters and token counters may use only what is on this machine.

It holds for the thread, or the asyncio task, that asked for it, and not for others that use the same provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_OFFLINE = ContextVar("offline", default=False)


def is_offline() -> bool:
    """Whether the caller wants nothing to be downloaded; a provider that needs a file from elsewhere then refuses."""
    return _OFFLINE.get()


@contextmanager
def offline(only: bool = True) -> Iterator[None]:
    """Let providers use only local files in the block; with `only=False` it changes nothing."""
    token = _OFFLINE.set(only or _OFFLINE.get())
    try:
        yield
    finally:
        _OFFLINE.reset(token)
