"""The provider `ray` passes the suite that every provider passes, over the wire of Ray's job server and its faults."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from every_case import EVERY_CASE, only_with_every_case
from ftbridge.loopback import LoopbackServer
from ftbridge.provider import Provider
from ftbridge.testing import Faults, ProviderContract
from ftbridge_local.ray_provider import RayProvider
from ftbridge_local.runners.tables import RayTable
from local.test_contract import WorkerFaults
from runners.ray_stub import TOKEN, RayStub

_OPERATIONS = {
    "create": "create_job",
    "find": "list_jobs",
    "jobs": "list_jobs",
    "poll": "list_jobs",
    "events": "log_file",
    "checkpoints": "list_logs",
    "fetch": "list_jobs",
}
_KINDS = ("500", "500-after", "cut", "cut-after", "cut-midway", "html", "slow", "429", "401", "403", "redirect")
_MORE = ("invalid-json", "truncate", "404", "409", "413", "501", "404-after", "409-after", "429-after", "303-after")


class RayFaults(WorkerFaults):
    """Of workers on the node, and of the head's answers; what makes no request cannot break."""

    kinds = (*WorkerFaults.kinds, *_KINDS, *(_MORE if EVERY_CASE else ()))

    def __init__(self, stub: RayStub) -> None:
        super().__init__(stub.logs / "ftbridge")
        self.stub = stub

    def inject(self, verb: str, kind: str, *, seconds: float = 1.0) -> None:
        if kind in WorkerFaults.kinds:
            super().inject(verb, kind, seconds=seconds)
        elif verb in _OPERATIONS:
            self.stub.faults.add(f"{_OPERATIONS[verb]}={kind}:{seconds}")
        else:
            pytest.skip(f"{verb} makes no request")

    def remaining(self) -> int:
        return super().remaining() + self.stub.faults.left()

    def clear(self) -> None:
        self.stub.faults.clear()
        super().clear()

    def jobs(self) -> int:
        return sum(job["metadata"]["ftbridge_verb"] == "start" for job in self.stub.jobs.values())


@only_with_every_case
class TestRay(ProviderContract):
    model: ClassVar[str] = "cluster/tiny"
    secret: ClassVar[str] = TOKEN

    @pytest.fixture(scope="class")
    @classmethod
    def stub(cls, tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Iterator[RayStub]:
        stub = RayStub(tmp_path_factory.mktemp("ray"))
        shutil.copytree(tiny_home / "local", stub.logs / "ftbridge" / "local")
        yield stub
        stub.close()

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, tmp_path_factory: pytest.TempPathFactory, stub: RayStub) -> Iterator[Provider]:
        with LoopbackServer(stub.app()) as server, pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_AUTH_TOKEN", TOKEN)
            table = RayTable(address=server.url, python=sys.executable)
            provider = RayProvider(tmp_path_factory.mktemp("home"), runners={"cluster": table})
            yield provider
            provider.close()

    @pytest.fixture(scope="class")
    @classmethod
    def faults(cls, stub: RayStub) -> Faults:
        return RayFaults(stub)
