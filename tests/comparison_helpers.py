"""The targets that the tests of `compare` ask for."""

from __future__ import annotations

MINI, FULL = "openai:gpt-4.1-mini-2025-04-14", "openai:gpt-4.1-2025-04-14"
QWEN, NEMO, SEVEN = "together:Qwen/Qwen3-8B", "mistral:open-mistral-nemo", "mistral:open-mistral-7b"
NEBIUS = "nebius:Qwen/Qwen3-8B"
LLAMA = "together:meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"


def targets(*names: str) -> list[str]:
    return [word for name in names for word in ("--to", name)]
