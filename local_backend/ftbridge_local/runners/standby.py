"""The process that works on a job. It may be started before there is one, and loads what the command needs meanwhile.

It receives the job through a socket, in one message that carries the folder's lock and log as open files. So the lock
is never free between the process that prepared the job and the worker, and it does not matter which of them dies:
without a sender no message can come, which ends the worker, and a message that nobody reads takes the lock with it.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import socket
import subprocess
import sys
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from ftbridge.files import PRIVATE_FOLDER, open_private
from ftbridge_local.command import Command
from ftbridge_local.job_folder import JobFolder

_MAX_PATH_BYTES = 4096
_started: list[subprocess.Popen[bytes]] = []  # kept, so that those that ended are reaped and none warns


class Standby:
    """A process that waits for a job, and ends when this process does without having handed one over.

    With `preload` it imports what takes seconds meanwhile.
    """

    def __init__(self, command: Command, home: Path, *, preload: bool) -> None:
        from ftbridge.child_environment import child_environment  # imported here: who only looks at jobs starts none

        self._free, self._free_lock = True, Lock()
        self._ours, theirs = socket.socketpair()
        with theirs:
            # -P: no modules of the folder that it runs in, which would come before the installed ones
            python = [sys.executable, "-P", "-W", "ignore", "-m", "ftbridge_local.runners.standby"]
            self._process = subprocess.Popen(
                [*python, str(theirs.fileno()), command.module, *[command.preload] * preload],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                umask=0o777 - PRIVATE_FOLDER,  # what it writes is in the home
                env={**child_environment(command.secrets), "FTBRIDGE_HOME": str(home)},
            )

    def hand_over(self, job: JobFolder, lock: int) -> bool:
        """Give the job, with its lock, to the process; False where the process has died, or has a job already."""
        with self._free_lock:
            free, self._free = self._free, False
        if not free:
            return False
        _started[:] = [known for known in _started if known.poll() is None] + [self._process]
        try:
            with self._ours, open_private(job.log, "ab") as log:
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


def main(channel: str, module: str, preload: str = "") -> int:
    """Wait for a job, then run the command's module on it."""
    command: Any = importlib.import_module(f"{module}.__main__")
    if preload:
        Thread(target=pkgutil.resolve_name(preload), daemon=True).start()
    with socket.socket(fileno=int(channel)) as sender:
        path, files, *_more = socket.recv_fds(sender, _MAX_PATH_BYTES, 2)
    if not path:
        os._exit(0)  # at once: an orderly exit would wait for the imports to finish
    lock, log = files
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(path)
    code: int = command.main(os.fsdecode(path), str(lock))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
