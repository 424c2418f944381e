"""What the tests of hosted vendors share: a job's end, and what a mocked vendor was asked."""

from __future__ import annotations

import time
from typing import Any

from ftbridge.mock import MockVendor
from ftbridge.provider import Provider, RemoteJob


def finished(provider: Provider, remote_id: str) -> RemoteJob:
    """The job when it is over."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        [job] = provider.poll([remote_id])
        if job.status.final:
            return job
        time.sleep(0.02)
    raise AssertionError(f"the job is still {job.raw_status}")


def sent(mock: MockVendor, operation: str) -> list[Any]:
    """The bodies of all calls of an operation that were carried out."""
    return [seen.call.body for seen in mock.seen if seen.operation == operation]


def asked(mock: MockVendor, operation: str) -> int:
    """How many calls of an operation were carried out."""
    return len(sent(mock, operation))
