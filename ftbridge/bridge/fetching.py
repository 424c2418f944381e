"""A result on the disk: one folder, whole, which tells the job that it is of.

    my-adapter/adapter_model.safetensors, …       what the provider gives
    my-adapter/ftbridge.json                      the job, its target, and the names of these files

So the same result may be fetched again into its folder, and nothing else is ever written into, or
over, files that are there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from ftbridge.errors import InputError
from ftbridge.files import whole_folder, write
from ftbridge.model import Frozen, Job, Result

ORIGIN = "ftbridge.json"


class Origin(Frozen):
    """What the file `ftbridge.json` holds; `files` are relative to its folder."""

    job: str
    target: str
    files: tuple[str, ...]


def fetch_whole(job: Job, give: Callable[[str, Path], Result], folder: Path) -> Result:
    """Let `give` write the job's result, which then appears as `folder`, whole or not at all.

    Raises `InputError` where `folder` holds anything but this job's own result, or cannot be written.
    """
    check_free(folder, job.id)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(folder) as beside:
            result = give(str(job.remote_id), beside)
            origin = Origin(job=job.id, target=job.target, files=tuple(_names(beside)))
            write(beside / ORIGIN, origin.model_dump_json(indent=2).encode())
            beside.chmod(0o755)  # a temporary folder is its owner's alone
    except OSError as problem:
        raise InputError(f"{folder} cannot be written: {problem}", hint="Name another folder, or make room.") from None
    if result.path is None:
        return result
    path = folder / result.path.relative_to(beside)
    return result.model_copy(
        update={"path": path, "model": str(path) if result.model == str(result.path) else result.model}
    )


def check_free(folder: Path, job_id: str | None = None) -> None:
    """Raises `InputError` unless a result may be written to `folder`: it is new, empty, or of that very job."""
    if not folder.is_dir():
        if folder.exists():
            raise InputError(f"{folder} is a file, and the result is a folder", hint="Give the name of a folder.")
        return
    names = _names(folder)
    if not names or set(names) <= {ORIGIN, *_of_job(folder, job_id)}:
        return
    raise InputError(
        f"{folder} holds files that are not of this result, for example {names[0]}",
        hint="Give --out a folder that is new or empty.",
    )


def _of_job(folder: Path, job_id: str | None) -> tuple[str, ...]:
    """The files that were written there for the job."""
    try:
        origin = Origin.model_validate_json((folder / ORIGIN).read_bytes())
    except (OSError, ValidationError):
        return ()
    return origin.files if origin.job == job_id else ()


def _names(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir())
