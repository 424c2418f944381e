"""What the tests of sweeps share: two targets, a dataset, and how many jobs their vendors made."""

from __future__ import annotations

from ftbridge.mock.vendors import MockVendors
from hosted_helpers import asked

OPENAI = "openai:gpt-4.1-mini-2025-04-14"
QWEN = "together:Qwen/Qwen3-8B"
CHATS = [
    {"messages": [{"role": "user", "content": f"Say {n}."}, {"role": "assistant", "content": f"{n}"}]}
    for n in range(24)
]
BOTH = ("--to", OPENAI, "--to", QWEN, "--epochs", "1,3", "--validation-split", "0.5")


def created(vendors: MockVendors) -> int:
    """How many jobs the vendors were asked for."""
    return asked(vendors["openai"], "create_job") + asked(vendors["together"], "create_job")
