"""The provider `ssh` passes the suite that every provider passes, over a real sshd and a network that breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from every_case import only_with_every_case
from ftbridge.provider import Provider
from ftbridge.testing import Faults, ProviderContract
from ftbridge_local.elsewhere import SshProvider
from ftbridge_local.runners.tables import SshTable
from runners.broken_ssh import BrokenSsh
from runners.ssh_server import HOST, SshServer
from runners.worker_faults import FaultsElsewhere


@only_with_every_case
class TestSsh(ProviderContract):
    model: ClassVar[str] = f"{HOST}/tiny"

    @pytest.fixture(scope="class")
    @classmethod
    def ssh(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokenSsh]:
        ssh = BrokenSsh(tmp_path_factory.mktemp("bin") / "bin")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", ssh.path)
            yield ssh

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, tmp_path_factory: pytest.TempPathFactory, ssh_server: SshServer, ssh: BrokenSsh) -> Provider:
        return SshProvider(tmp_path_factory.mktemp("home"), runners={HOST: SshTable.read(ssh_server.table, {})})

    @pytest.fixture(scope="class")
    @classmethod
    def faults(cls, ssh_server: SshServer, ssh: BrokenSsh) -> Faults:
        return FaultsElsewhere(ssh_server.machine, ssh)
