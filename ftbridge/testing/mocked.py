"""The suite for a provider whose vendor is mocked by `ftbridge.mock`: a provider, a mock, a model.

class TestAcme(MockedContract):
    model = "acme-small"
    provider_class = AcmeProvider
    mock_class = AcmeMock
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_args

import pytest
from pydantic import SecretStr

from ftbridge.loopback import LoopbackServer
from ftbridge.mock import MockVendor
from ftbridge.mock.faults import Kind
from ftbridge.model import Spec
from ftbridge.provider import Files, Provider, RemoteJob
from ftbridge.provider.connection import Connection
from ftbridge.provider.hosted import HostedProvider
from ftbridge.testing import Faults, ProviderContract
from ftbridge.testing.base import new_tag

_OPERATIONS = {
    "upload": "upload_file",
    "content": "upload_file",
    "create": "create_job",
    "find": "list_jobs",
    "jobs": "list_jobs",
    "poll": "get_job",
    "events": "job_events",
    "checkpoints": "job_checkpoints",
    "fetch": "download",
    "chat": "chat",
    "list_models": "list_models",
}
"""The usual names of a mock's operations, by verb."""


class MockFaults:
    """The faults of a mocked vendor; `operations` are its operations by the verb that uses them."""

    kinds: ClassVar[frozenset[str]] = frozenset(get_args(Kind))

    def __init__(self, mock: MockVendor, operations: Mapping[str, str]) -> None:
        self.mock = mock
        self.operations = operations

    def inject(self, verb: str, kind: str, *, seconds: float = 1.0) -> None:
        """Make the next request of `verb` fail in this way."""
        self.mock.faults.add(f"{self.operations[verb]}={kind}:{seconds}")

    def remaining(self) -> int:
        """How many faults have not happened yet."""
        return self.mock.faults.left()

    def clear(self) -> None:
        """Remove all faults."""
        self.mock.faults.clear()

    def jobs(self) -> int:
        """How many jobs the vendor has."""
        return len(list((self.mock.store.folder / "jobs").glob("*.json")))


class MockedContract(ProviderContract):
    """`operations` are those with unusual names; the mock is `speed` times faster than the vendor."""

    provider_class: ClassVar[type[HostedProvider]]
    mock_class: ClassVar[type[MockVendor]]
    operations: ClassVar[Mapping[str, str]] = {}
    speed: ClassVar[float] = 240.0
    secret: ClassVar[str] = "canary-key-that-nobody-may-see"  # noqa: S105 - not a real key
    long_hyperparameters: ClassVar[dict[str, Any]] = {"epochs": 50}  # and it stalls

    @pytest.fixture(scope="class")
    @classmethod
    def mock(cls, tmp_path_factory: pytest.TempPathFactory) -> MockVendor:
        return cls.mock_class(tmp_path_factory.mktemp("mock"), speed=cls.speed)

    @pytest.fixture(scope="class")
    @classmethod
    def environment(cls, mock: MockVendor) -> Iterator[dict[str, str]]:
        with LoopbackServer(mock.app()) as server:
            yield mock.environment(server.url)

    @pytest.fixture(scope="class")
    @classmethod
    def connection(cls, mock: MockVendor, environment: dict[str, str]) -> Connection:
        return Connection(base_url=environment[mock.url_env], api_key=SecretStr(cls.secret), account="mock")

    @pytest.fixture(scope="class")
    @classmethod
    def provider(
        cls, tmp_path_factory: pytest.TempPathFactory, connection: Connection, environment: dict[str, str]
    ) -> Iterator[Provider]:
        provider = cls.provider_class(tmp_path_factory.mktemp("home"), connection, environment=environment)
        yield provider
        provider.close()

    @pytest.fixture(scope="class")
    @classmethod
    def impatient(
        cls, tmp_path_factory: pytest.TempPathFactory, connection: Connection, environment: dict[str, str]
    ) -> Iterator[Provider]:
        made: Any = type("Impatient", (cls.provider_class,), {"timeout": 0.4})
        provider: Provider = made(tmp_path_factory.mktemp("home"), connection, environment=environment)
        yield provider
        provider.close()

    @pytest.fixture(scope="class")
    @classmethod
    def faults(cls, mock: MockVendor) -> Faults:
        return MockFaults(mock, {**_OPERATIONS, **cls.operations})

    def start_long(self, provider: Provider, spec: Spec, files: Files, faults: Faults | None) -> RemoteJob:
        """A job of many steps that takes a minute."""
        assert faults is not None
        faults.inject("create", "stall", seconds=60)
        made = provider.create(self.long(spec), self.model, files, tag=new_tag())
        faults.clear()
        return made

    def check_upload(self, remote_file: str, content: bytes, faults: Faults) -> None:
        """The mock stores what it received, which may begin with a byte-order mark."""
        assert isinstance(faults, MockFaults)
        kept = faults.mock.store.get_bytes("contents", remote_file)
        assert kept is not None
        assert kept.endswith(content)
