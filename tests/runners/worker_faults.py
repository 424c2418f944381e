"""What may go wrong with jobs elsewhere: workers that are killed or stop, and connections that break."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.test_contract import WorkerFaults
from runners.broken_ssh import KINDS, BrokenSsh

_VERBS = {
    "create": "start",
    "find": "report",
    "jobs": "tags",
    "poll": "report",
    "events": "read",
    "checkpoints": "names",
    "fetch": "pull",
}


class FaultsElsewhere(WorkerFaults):
    """Of workers on the machine, and of the ssh that leads there; what makes no call cannot break."""

    kinds = (*WorkerFaults.kinds, *KINDS)

    def __init__(self, machine: Path, ssh: BrokenSsh) -> None:
        super().__init__(machine)
        self.ssh = ssh

    def inject(self, verb: str, kind: str, *, seconds: float = 1.0) -> None:
        if kind in WorkerFaults.kinds:
            super().inject(verb, kind, seconds=seconds)
        elif verb in _VERBS:
            self.ssh.plan(_VERBS[verb], kind, seconds)
        else:
            pytest.skip(f"{verb} makes no call")

    def remaining(self) -> int:
        return super().remaining() + self.ssh.is_planned

    def clear(self) -> None:
        self.ssh.clear()
        super().clear()
