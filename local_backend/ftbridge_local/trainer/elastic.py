"""Several processes for one job: `launch` starts them by torch's own launcher, and `main` is what each of them does.

The worker of the job folder is the launcher. Where one process is lost, it ends the others and starts all anew, which
go on from the last checkpoint. They find each other through files and talk through the loopback interface alone, so
that nothing of it can be reached from outside this machine.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from threading import Thread
from typing import Any

from ftbridge.errors import JobFailed, SpecError
from ftbridge.files import write
from ftbridge.model import Status
from ftbridge_local import models as source
from ftbridge_local.job_folder import JobFolder, JobState
from ftbridge_local.trainer.distributed import Ranks, cores
from ftbridge_local.trainer.train import told, train

_RESTARTS = 3
_OUTCOME = "outcome.json"
_LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
_SURROUNDINGS = {
    "GLOO_SOCKET_IFNAME": _LOOPBACK,
    "NCCL_SOCKET_IFNAME": _LOOPBACK,
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # it would listen to the whole network
}


def check(devices: int) -> None:
    """Raises `SpecError` where this machine does not have so many."""
    import torch

    if torch.cuda.is_available():
        there, what = torch.cuda.device_count(), "NVIDIA cards"
    elif torch.backends.mps.is_available():
        there, what = 1, "Apple device"
    else:
        there, what = cores(), "processor cores"
    if devices > there:
        raise SpecError(
            f"devices = {devices} is more than there are: {there} {what}",
            hint=f"Use --devices {there}, or leave it out.",
        )


def launch(job: JobFolder, lock: int, devices: int) -> Status:
    """Run the job to where it ends or is asked to stop, in so many processes; the status that it has then.

    Raises `JobFailed` with what ended it.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    order = job.order()
    job.add_event("message", message=source.announced(order.model, order.home))
    source.find(order.model, order.home, weights=True)  # before there are several to do it
    shutil.rmtree(job.ranks, ignore_errors=True)
    job.ranks.mkdir()
    os.environ.update(_SURROUNDINGS)
    os.dup2(lock, 0)  # standard input is handed down, so that the job has a worker until the last process is gone
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=devices,
        run_id=job.path.name,
        rdzv_backend="c10d",
        rdzv_endpoint=str(job.ranks / "launcher"),
        rdzv_configs={"store_type": "file"},
        local_addr="127.0.0.1",
        max_restarts=_RESTARTS,
        logs_specs=DefaultLogsSpecs(log_dir=str(job.ranks)),
        signals_to_handle="SIGINT",  # SIGTERM is a request to pause, as in a job of one process
    )
    try:
        elastic_launch(config, sys.executable)(
            "-W", "ignore", "-m", "ftbridge_local.trainer.elastic", str(job.path), str(os.getpid())
        )
    except ChildFailedError as problem:
        number, failure = problem.get_first_failure()
        end = failure.signal_name() if failure.exitcode < 0 else f"exit code {failure.exitcode}"
        raise JobFailed(
            f"one of the {devices} processes was lost {_RESTARTS + 1} times, the last time number {number} by {end}",
            hint="SIGKILL is often the system's, for want of memory; worker.log may tell more.",
        ) from None
    outcome = JobState.model_validate_json((job.ranks / _OUTCOME).read_bytes())
    shutil.rmtree(job.ranks)
    if outcome.status is Status.FAILED:
        raise JobFailed(str(outcome.error), hint="worker.log may tell more.")
    return outcome.status


class _Listener(JobFolder):
    """The job folder for all processes but the first, who is the one to write."""

    def set_status(self, status: Status, error: str | None = None) -> None:
        """Say nothing."""

    def add_event(self, kind: Any, **facts: Any) -> None:
        """Say nothing."""


def main(folder: str, launcher: str) -> int:
    """Train as one of several, and leave for the launcher how it ended."""
    Thread(target=_end_with, args=(int(launcher),), daemon=True).start()
    ranks = Ranks(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    job = JobFolder(Path(folder)) if ranks.first else _Listener(Path(folder))
    outcome = job.ranks / _OUTCOME
    if outcome.exists():  # it ended for a reason that would come again
        return 0
    try:
        attempt = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
        if attempt:
            job.add_event("message", message="one of the processes was lost; all go on from the last checkpoint")
        _join(ranks, job.ranks / f"attempt-{attempt}")
        status = train(job, ranks)
    except Exception as problem:  # as in the worker itself
        traceback.print_exc()
        write(outcome, JobState(status=Status.FAILED, error=told(problem)).model_dump_json().encode())
        return 1
    if ranks.first:
        write(outcome, JobState(status=status).model_dump_json().encode())
    return 0


def _end_with(launcher: int) -> None:
    """End this process when its launcher is gone, which may have had no time to do it."""
    while os.getppid() == launcher:
        time.sleep(0.1)
    os._exit(1)


def _join(ranks: Ranks, meeting: Path) -> None:
    import torch
    from torch.distributed import FileStore, init_process_group  # type: ignore[attr-defined]  # it names none of its own

    store = FileStore(str(meeting), ranks.count)
    if torch.cuda.is_available():
        torch.cuda.set_device(ranks.number)
        own = torch.device("cuda", ranks.number)
        init_process_group("nccl", store=store, rank=ranks.number, world_size=ranks.count, device_id=own)
    else:
        init_process_group("gloo", store=store, rank=ranks.number, world_size=ranks.count)


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))  # at once: it takes the interpreter seconds to put torch away, while somebody waits
