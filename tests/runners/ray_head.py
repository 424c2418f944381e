"""A real head of Ray on the loopback interface, from an environment of its own, with a token."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

RAY = "FTBRIDGE_RAY"
"""The variable that names the program `ray`; there is none in the environment of these tests."""


def find_ray() -> str | None:
    """The program."""
    return shutil.which(os.environ.get(RAY) or "ray")


class RayHead:
    """The head, with one node of two CPUs."""

    def __init__(self, ray: str) -> None:
        self._ray = ray
        self._head: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="ftb-ray-", dir="/tmp"))  # short: Ray puts its sockets there
        self.port = _free_port()
        self.token = secrets.token_hex(32)

    @property
    def url(self) -> str:
        """Of its dashboard."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def table(self) -> dict[str, object]:
        """What `[runners.cluster]` has to hold."""
        return {"kind": "ray", "address": self.url, "python": sys.executable}

    @property
    def logs(self) -> Path:
        """The log folder of its session."""
        return self.folder / "session_latest" / "logs"

    def start(self) -> None:
        """Start it; returns when it has run a job."""
        options = {
            "--port": "0",
            "--dashboard-host": "127.0.0.1",
            "--dashboard-port": str(self.port),
            "--dashboard-agent-listen-port": str(_free_port()),
            "--ray-client-server-port": str(_free_port()),
            "--node-ip-address": "127.0.0.1",
            "--num-cpus": "2",
            "--num-gpus": "0",
            "--object-store-memory": "100000000",
            "--temp-dir": str(self.folder),
        }
        command = [self._ray, "start", "--head", "--block", "--disable-usage-stats"]
        command += [f"{name}={value}" for name, value in options.items()]
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "FTBRIDGE_HOME")}
        environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token}
        with (self.folder / "head.log").open("ab") as log:
            self._head = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        deadline, job = time.monotonic() + 120, f"first-{secrets.token_hex(4)}"
        headers = {"authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=30) as client:
            while not _takes_a_job(client, job):
                assert time.monotonic() < deadline, (self.folder / "head.log").read_text()
                time.sleep(0.5)

    def stop(self) -> None:
        """End it and all that it started."""
        if self._head:
            self._head.send_signal(signal.SIGTERM)
            try:
                self._head.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self._head.pid, signal.SIGKILL)
                self._head.wait()
            self._head = None


def _takes_a_job(client: httpx.Client, job: str) -> bool:
    """Whether the head has the job now; its dashboard answers before it takes any."""
    try:
        client.post("/api/jobs/", json={"entrypoint": "true", "submission_id": job})
        return client.get(f"/api/jobs/{job}").is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
