"""`python -m ftbridge_local.trainer JOBFOLDER`: train the job to its end, or to where it is asked to stop.

`$FTBRIDGE_HOME` is where base models and tokenized data are cached.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from ftbridge.files import PRIVATE_FOLDER
from ftbridge.foreign.redaction import redact, register_environment
from ftbridge.home import find_home
from ftbridge.model import Status
from ftbridge_local.job_folder import JobFolder, hold
from ftbridge_local.trainer import elastic
from ftbridge_local.trainer.full_disk import full_disk, is_full_disk
from ftbridge_local.trainer.train import error_text, train


def main(folder: str, lock: str | None = None) -> int:
    """Be the job's worker; `lock` is the open, locked file that was handed down, if one was. The exit code."""
    job = JobFolder(Path(folder).absolute())
    if not job.exists:
        print(f"{folder} is not a job folder: it has no status.json", file=sys.stderr)  # noqa: T201 - that is worker.log
        return 2
    held = hold(job, int(lock) if lock else None)
    if held is None:
        print(f"{folder} has a worker already", file=sys.stderr)  # noqa: T201 - standard error is worker.log
        return 1
    if job.state().status in (Status.SUCCEEDED, Status.CANCELLED):  # a batch system may run a command twice
        job.discard_data()
        return 0
    register_environment(os.environ)  # the hub's token, which must not reach worker.log
    signal.signal(signal.SIGTERM, lambda *_: job.ask("pause"))
    try:
        job.prepare_for_a_full_disk(full_disk(job))
        job.set_status(Status.VALIDATING)
        if (devices := job.spec().hyperparameters.devices or 1) > 1:
            status, result = elastic.launch(job, held, devices, find_home())
        else:
            status, result = train(job, find_home())
        job.set_status(status, result=result)
        job.discard_data()
    except Exception as problem:  # every failure is reported by the job's status
        with suppress(OSError):
            print(redact(traceback.format_exc()), file=sys.stderr)  # noqa: T201 - likewise
        _fail(job, problem)
        return 1
    return 0


def _fail(job: JobFolder, problem: Exception) -> None:
    try:
        job.set_status(Status.FAILED, full_disk(job) if is_full_disk(problem) else error_text(problem))
    except OSError as unwritten:
        if not is_full_disk(unwritten):
            raise
        job.fail_on_a_full_disk()


if __name__ == "__main__":
    os.umask(0o777 - PRIVATE_FOLDER)
    sys.exit(main(*sys.argv[1:]))
