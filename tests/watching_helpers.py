"""What the tests of queues, watches and hooks have in common."""

from __future__ import annotations

from ftbridge.mock.vendors import MockVendors

OPENAI = "openai:gpt-4.1-mini-2025-04-14"
TOGETHER = "together:Qwen/Qwen3-8B"


def made(vendors: MockVendors, vendor: str = "openai") -> int:
    """How many jobs the vendor has made."""
    return sum(seen.operation == "create_job" and seen.answer.status == 200 for seen in vendors[vendor].seen)
