"""The process that works at a job. It may be started before there is one, and loads torch meanwhile.

It is given the job through a socket, in one message that brings the folder's lock and log as open files. So the lock is
never free between whoever set the job down and the worker, and it does not matter which of them dies: without a sender
no message can come, which ends the worker, and a message that nobody reads takes the lock with it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from threading import Lock, Thread

from ftbridge_local.job_folder import JobFolder

_LONGEST = 4096  # bytes of a path
_begun: list[subprocess.Popen[bytes]] = []  # kept, so that those that ended are reaped and none warns


class Worker:
    """A process that waits for a job, and ends when this one does without having given it any.

    One that is `early` loads torch meanwhile.
    """

    def __init__(self, *, early: bool) -> None:
        self._free, self._asking = True, Lock()
        self._ours, theirs = socket.socketpair()
        with theirs:
            # -P: no modules of the folder that it runs in, which would come before the installed ones
            python = [sys.executable, "-P", "-W", "ignore", "-m"]
            self._process = subprocess.Popen(
                [*python, "ftbridge_local.runners.process", str(theirs.fileno()), *["early"] * early],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def begin(self, job: JobFolder, lock: int) -> bool:
        """Hand over the job with its lock; False where the process has died, or has a job already."""
        with self._asking:
            free, self._free = self._free, False
        if not free:
            return False
        _begun[:] = [known for known in _begun if known.poll() is None] + [self._process]
        try:
            with self._ours, job.log.open("ab") as log:
                socket.send_fds(self._ours, [os.fsencode(job.path)], [lock, log.fileno()])
        except OSError:
            return False
        return True

    def close(self) -> None:
        """End the process, unless it has a job."""
        if self._free:
            self._ours.close()
            self._process.kill()
            self._process.wait()


def start(job: JobFolder, lock: int, waiting: Worker | None = None) -> None:
    """Give the job to a worker that outlives this process: to the one that is `waiting`, or to a new one.

    The job is `submitting` until the worker's first act, which is to say otherwise: where this process or the
    worker dies before that, nothing has been done and the job may be started anew.
    """
    job.renew(lock)
    if not (waiting and waiting.begin(job, lock)):
        Worker(early=False).begin(job, lock)


def main(channel: str, early: str = "") -> int:
    """Wait for a job, and be its worker."""
    from ftbridge_local.trainer import train
    from ftbridge_local.trainer.preload import load

    if early:
        Thread(target=load, daemon=True).start()
    with socket.socket(fileno=int(channel)) as giver:
        path, files, *_more = socket.recv_fds(giver, _LONGEST, 2)
    if not path:
        os._exit(0)  # at once: there is no waiting for what is half loaded
    lock, log = files
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(path)
    return train.main(os.fsdecode(path), str(lock))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
