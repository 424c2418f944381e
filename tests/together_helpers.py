"""What the tests of Together's room share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ftbridge.model import Hyperparameters, Method, Spec

KEY = "mock-key-that-nobody-may-see"
MODEL = "Qwen/Qwen3-8B"


def make_spec(name: str | None = None, method: Method = Method.SFT, **hyperparameters: Any) -> Spec:
    return Spec(
        target=f"together:{MODEL}",
        data=Path("rows.jsonl"),
        method=method,
        name=name,
        hyperparameters=Hyperparameters(**hyperparameters),
    )
