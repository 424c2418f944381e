"""A real Slurm cluster of one node, on ports of its own; its daemons run as root, as Debian's do."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch")
_CONFIG = """\
ClusterName=test
SlurmctldHost=localhost
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=10
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,bf_interval=1
NodeName=localhost CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why there can be no cluster; "" where there can."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    if absent := [name for name in _PROGRAMS if shutil.which(name, path=path) is None]:
        return f"{', '.join(absent)} is not installed (apt-get install slurmctld slurmd munge)"
    return "" if os.geteuid() == 0 else "Slurm's daemons need root here"


class SlurmCluster:
    """The cluster; `environment` is what its commands need."""

    def __init__(self, folder: Path, cpus: int = 2) -> None:
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        ports = [_free_port() for _ in range(2)]
        config = _CONFIG.format(folder=folder, ports=ports, user=getpass.getuser(), cpus=cpus)
        (folder / "slurm.conf").write_text(config)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o400)
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the daemons; returns when the node takes jobs."""
        munge = [f"--{name}={self.folder}/munge.{end}" for name, end in _MUNGE.items()]
        self._run("/usr/sbin/munged", "--foreground", "--force", *munge)
        self._until(lambda: (self.folder / "munge.socket").exists())
        self._run("/usr/sbin/slurmctld", "-D", "-i")
        self._run("/usr/sbin/slurmd", "-D", "-N", "localhost", "-f", self.environment["SLURM_CONF"])
        self._until(lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))

    def ask(self, *command: str) -> str:
        """What a command of Slurm's prints."""
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout

    def stop(self) -> None:
        """Cancel what runs, and end the daemons."""
        self.ask("scancel", "--me", "--signal=KILL", "--full")
        for daemon in reversed(self._started):
            daemon.terminate()
            daemon.wait(20)
        self._started.clear()

    def _run(self, *command: str) -> None:
        log = (self.folder / "daemons.log").open("ab")
        with log:
            environment = {**os.environ, **self.environment}
            self._started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))

    def _until(self, holds: object) -> None:
        assert callable(holds)
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline, (self.folder / "daemons.log").read_text()[-2000:]
            time.sleep(0.1)


_MUNGE = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}


@contextmanager
def running(folder: Path) -> Iterator[SlurmCluster]:
    """A new cluster, for as long as the block lasts."""
    cluster = SlurmCluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
