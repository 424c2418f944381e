"""What the tests of Together's room share."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ftbridge.model import Hyperparameters, Method, Spec, Status
from ftbridge.provider import RemoteJob
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.mock import TogetherMock

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


def bodies(mock: TogetherMock, operation: str) -> list[Any]:
    """The bodies of all calls of an operation that were carried out."""
    return [seen.call.body for seen in mock.seen if seen.operation == operation]


def count(mock: TogetherMock, operation: str) -> int:
    return len(bodies(mock, operation))


def finish(provider: TogetherProvider, remote_id: str) -> RemoteJob:
    """The job when it is over."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        [job] = provider.poll([remote_id])
        if job.status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED):
            return job
        time.sleep(0.02)
    raise AssertionError(f"the job is still {job.raw_status}")
