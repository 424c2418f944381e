"""A result on disk: one complete folder, which names the job that it belongs to.

    my-adapter/adapter_model.safetensors, …       what the provider gives
    my-adapter/ftbridge.json                      the job, its target, and the names of these files

So the same result may be written again into its folder, in the same form, and no other existing file is ever
overwritten.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from ftbridge.errors import InputError
from ftbridge.files import make_folder, whole_folder, write
from ftbridge.model import Frozen, Job, Result
from ftbridge.provider.capabilities import ExportForm

ORIGIN = "ftbridge.json"


class Origin(Frozen):
    """What the file `ftbridge.json` holds; `files` are relative to its folder, `form` that of an export."""

    job: str
    target: str
    files: tuple[str, ...]
    form: ExportForm | None = None


def fetch_whole(job: Job, fetch: Callable[[str, Path], Result], folder: Path, form: ExportForm | None = None) -> Result:
    """Let `fetch` write the job's result, which then appears as `folder`, complete or not at all.

    Raises `InputError` where `folder` holds anything except this job's own result in that form, or cannot be written.
    """
    check_free(folder, job.id, form)
    try:
        make_folder(folder.parent)
        with whole_folder(folder) as beside:
            result = fetch(str(job.remote_id), beside)
            origin = Origin(job=job.id, target=job.target, files=tuple(_names(beside)), form=form)
            write(beside / ORIGIN, origin.model_dump_json(indent=2, exclude_none=True).encode())
    except OSError as problem:
        raise InputError(f"{folder} cannot be written: {problem}", hint="Name another folder, or make room.") from None
    if result.path is None:
        return result
    path = folder / result.path.relative_to(beside)
    return result.model_copy(
        update={"path": path, "model": str(path) if result.model == str(result.path) else result.model}
    )


def check_free(folder: Path, job_id: str | None = None, form: ExportForm | None = None) -> None:
    """Raises `InputError` unless a result may be written to `folder`: it is new, empty, or of that job and form."""
    if not folder.is_dir():
        if folder.exists():
            raise InputError(f"{folder} is a file, and the result is a folder", hint="Name a folder.")
        return
    origin = _origin(folder)
    own = {ORIGIN, *(origin.files if origin else ())}
    if foreign := [name for name in _names(folder) if name not in own]:
        problem = f"{folder} holds files that do not belong to this result, for example {foreign[0]}"
    elif origin and origin.job != job_id:
        problem = f"{folder} holds the result of job {origin.job}"
    elif origin and origin.form != form:
        problem = f"{folder} holds the same job's result {f'as {origin.form}' if origin.form else 'as it was fetched'}"
    else:
        return
    raise InputError(problem, hint="Give --out a folder that is new or empty.")


def _origin(folder: Path) -> Origin | None:
    """The origin that ftbridge wrote there, if it did."""
    try:
        return Origin.model_validate_json((folder / ORIGIN).read_bytes(), extra="allow")
    except (OSError, ValidationError):
        return None


def _names(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir())
