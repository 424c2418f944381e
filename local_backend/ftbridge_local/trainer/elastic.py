"""Several processes for one job: `launch` starts them by torch's elastic launcher, and `main` is what each one does.

The worker of the job folder is the launcher. Where one process is lost, it ends the others and restarts all, which
continue from the last checkpoint. They find each other through files and communicate over the loopback interface
only: nothing of it can be reached from outside this machine.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from ftbridge.errors import JobFailed
from ftbridge.files import PRIVATE_FOLDER, write
from ftbridge.foreign.redaction import redact, register_environment
from ftbridge.home import find_home
from ftbridge.model import Status
from ftbridge_local.job_documents import JobState
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.models.find import find_for_job, find_message
from ftbridge_local.trainer.distributed import Distributed
from ftbridge_local.trainer.full_disk import is_full_disk
from ftbridge_local.trainer.train import Outcome, error_text, train

_RESTARTS = 3
_OUTCOME = "outcome.json"
_LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
_ENVIRONMENT = {
    "GLOO_SOCKET_IFNAME": _LOOPBACK,
    "NCCL_SOCKET_IFNAME": _LOOPBACK,
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # it would listen to the whole network
}


def launch(job: JobFolder, lock: int, devices: int, home: Path) -> Outcome:
    """Train in so many processes to the end, or to where the job is asked to stop; as `train` returns.

    Raises `JobFailed` with what ended it.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    job.add_event("message", message=find_message(job.spec().base, home))
    find_for_job(job, home)  # once, before several processes need it
    shutil.rmtree(job.processes, ignore_errors=True)
    job.processes.mkdir(PRIVATE_FOLDER)
    os.environ.update(_ENVIRONMENT)
    os.dup2(lock, 0)  # standard input is inherited, so that the job has a worker until the last process is gone
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=devices,
        run_id=job.path.name,
        rdzv_backend="c10d",
        rdzv_endpoint=str(job.processes / "launcher"),
        rdzv_configs={"store_type": "file"},
        local_addr="127.0.0.1",
        max_restarts=_RESTARTS,
        logs_specs=DefaultLogsSpecs(log_dir=str(job.processes)),
        signals_to_handle="SIGINT",  # SIGTERM is a request to pause, as in a job of one process
    )
    try:
        elastic_launch(config, sys.executable)(
            "-W", "ignore", "-m", "ftbridge_local.trainer.elastic", str(job.path), str(os.getpid())
        )
    except ChildFailedError as problem:
        rank, failure = problem.get_first_failure()
        if failure.exitcode == errno.ENOSPC:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
        end = failure.signal_name() if failure.exitcode < 0 else f"exit code {failure.exitcode}"
        raise JobFailed(
            f"one of the {devices} processes was lost {_RESTARTS + 1} times, the last time rank {rank} by {end}",
            hint="SIGKILL often means that the system ran out of memory; worker.log may say more.",
        ) from None
    outcome = JobState.model_validate_json((job.processes / _OUTCOME).read_bytes())
    shutil.rmtree(job.processes)
    if outcome.status is Status.FAILED:
        raise JobFailed(str(outcome.error), hint="worker.log may say more.")
    return outcome.status, outcome.result


class _ReadOnlyFolder(JobFolder):
    """The job folder for all processes but the first, which is the one that writes."""

    def set_status(self, *_: Any, **__: Any) -> None:
        """Write nothing."""

    def add_event(self, *_: Any, **__: Any) -> None:
        """Write nothing."""


def main(folder: str, launcher: str) -> int:
    """Train as one of several processes, and write the outcome for the launcher."""
    Thread(target=_end_with, args=(int(launcher),), daemon=True).start()
    register_environment(os.environ)
    distributed = Distributed(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    job = JobFolder(Path(folder)) if distributed.first else _ReadOnlyFolder(Path(folder))
    outcome = job.processes / _OUTCOME
    if outcome.exists():  # it failed for a reason that would recur
        return 0
    try:
        attempt = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
        if attempt:
            job.add_event("message", message="one of the processes was lost; all continue from the last checkpoint")
        _join(distributed, job.processes / f"attempt-{attempt}")
        status, result = train(job, find_home(), distributed)
    except Exception as problem:  # as in the worker itself
        with suppress(OSError):
            print(redact(traceback.format_exc()), file=sys.stderr)  # noqa: T201 - likewise
        if is_full_disk(problem):
            return errno.ENOSPC
        _write(outcome, JobState(status=Status.FAILED, error=error_text(problem)))
        return 1
    if distributed.first:
        _write(outcome, JobState(status=status, result=result))
    return 0


def _write(file: Path, outcome: JobState) -> None:
    write(file, outcome.model_dump_json(exclude_none=True).encode())


def _end_with(launcher: int) -> None:
    """End this process when its launcher is gone, which may have had no time to end it."""
    while os.getppid() == launcher:
        time.sleep(0.1)
    os._exit(1)


def _join(distributed: Distributed, rendezvous: Path) -> None:
    import torch
    from torch.distributed import FileStore, init_process_group  # type: ignore[attr-defined]  # it declares no exports

    rank, world_size = distributed.rank, distributed.world_size
    store = FileStore(str(rendezvous), world_size)
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
        init_process_group("nccl", store=store, rank=rank, world_size=world_size, device_id=torch.device("cuda", rank))
    else:
        init_process_group("gloo", store=store, rank=rank, world_size=world_size)


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))  # at once: an orderly exit takes torch seconds, while somebody waits
