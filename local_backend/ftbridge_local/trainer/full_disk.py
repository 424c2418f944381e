"""A disk that is full is reported as what it is, though there may be no room to write so."""

from __future__ import annotations

import errno

from ftbridge_local.job_folder import JobFolder

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_SENTENCES = ("os error 28", "No space left on device")  # of libraries that raise errors of their own


def full_disk(job: JobFolder) -> str:
    """What the user reads of a job that ended because its disk is full."""
    return (
        f"the disk that holds {job.path} is full; free some space,"
        f" then `ftbridge resume {job.path.name}` continues from the last checkpoint"
    )


def is_full_disk(problem: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that there is no room."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in _NO_ROOM:
            return True
        if any(sentence in str(problem) for sentence in _SENTENCES):
            return True
        problem = problem.__cause__ or problem.__context__
    return False
