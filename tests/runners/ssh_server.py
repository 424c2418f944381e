"""A real sshd on the loopback interface, with keys and a config of its own, and the machine that it leads to."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "gpu-box"
_SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PidFile none
MaxSessions 100
MaxStartups 100
"""
_CLIENT = """\
Host {host}
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {folder}/user_key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile none
"""


def find_sshd() -> str | None:
    """The server's program; Debian keeps it out of the PATH of users."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class SshServer:
    """The server, and `machine`, the folder on its far side; `config` is for `ssh -F`."""

    def __init__(self, sshd: str, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "ssh_config"
        self.machine = folder / "machine"
        self._sshd = sshd
        self._server: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        host_key = (folder / "host_key.pub").read_text().split()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host_key[0]} {host_key[1]}\n")
        (folder / "sshd_config").write_text(_SERVER.format(port=self.port, folder=folder))
        self.config.write_text(_CLIENT.format(host=HOST, port=self.port, folder=folder, user=getpass.getuser()))

    @property
    def table(self) -> dict[str, object]:
        """What `[runners.gpu-box]` has to hold."""
        return {
            "kind": "ssh",
            "ssh_config": str(self.config),
            "python": sys.executable,
            "folder": str(self.machine),
        }

    def start(self) -> None:
        """Start it; returns when it listens."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists on it
        log = (self.folder / "sshd.log").open("ab")
        with log:
            command = [self._sshd, "-D", "-e", "-f", str(self.folder / "sshd_config")]
            self._server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, (self.folder / "sshd.log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop listening; connections that are open stay."""
        if self._server:
            self._server.terminate()
            self._server.wait(10)
            self._server = None

    def disconnect(self) -> None:
        """End the shared connection."""
        control = f"ControlPath=/tmp/ftbridge-{os.getuid()}/%C"
        command = ["ssh", "-F", str(self.config), "-o", control, "-O", "exit", HOST]
        subprocess.run(command, capture_output=True, check=False)


@contextmanager
def running(sshd: str, folder: Path) -> Iterator[SshServer]:
    """A new server, for as long as the block lasts."""
    server = SshServer(sshd, folder)
    server.start()
    try:
        yield server
    finally:
        server.disconnect()
        server.stop()
