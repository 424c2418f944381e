"""What the tests of queues, watches and hooks have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ftbridge.mock.vendors import MockVendors

OPENAI = "openai:gpt-4.1-mini-2025-04-14"
TOGETHER = "together:Qwen/Qwen3-8B"


@contextmanager
def standing_still(vendors: MockVendors, vendor: str = "openai") -> Iterator[None]:
    """While the block lasts no time passes at the vendor: what is made there is neither begun nor over."""
    mock = vendors[vendor]
    at = mock.now()
    vars(mock)["now"] = lambda: at
    yield
    del vars(mock)["now"]


def made(vendors: MockVendors, vendor: str = "openai") -> int:
    """How many jobs the vendor has made."""
    return sum(seen.operation == "create_job" and seen.answer.status == 200 for seen in vendors[vendor].seen)
