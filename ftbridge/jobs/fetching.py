"""A result on disk: one complete folder, which names the job that it belongs to.

    my-adapter/adapter_model.safetensors, …       what the provider gives
    my-adapter/ftbridge.json                      the job, its target, and the names, sizes and hashes of these files

So the same result may be written again into its folder, in the same form, as long as nobody has changed it there; and
nothing else that exists is ever overwritten or removed, be it a file, a link or an empty folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from ftbridge.errors import InputError
from ftbridge.files import content_key, follow_umask, make_folder, whole_folder, write
from ftbridge.model import Frozen, Job, Result
from ftbridge.provider.capabilities import ExportForm
from ftbridge.wording import printable

ORIGIN = "ftbridge.json"


class Written(Frozen):
    """A file as it was written: its size, and the XXH3-128 of its content."""

    bytes: int
    xxh3_128: str


class Origin(Frozen):
    """What the file `ftbridge.json` holds; `files` are relative to its folder, `form` that of an export."""

    job: str
    target: str
    files: Mapping[str, Written]
    form: ExportForm | None = None


def fetch_whole(job: Job, fetch: Callable[[str, Path], Result], folder: Path, form: ExportForm | None = None) -> Result:
    """Let `fetch` write the job's result, which then appears as `folder`, complete or not at all.

    Raises `InputError` where `folder` holds anything except this job's own result in that form, as it was written,
    or cannot be written.
    """
    target = folder.resolve() if folder.is_symlink() else folder  # a link stays, and what it names is filled
    check_free(target, job.id, form)
    try:
        make_folder(target.parent, 0o777)
        with whole_folder(target) as beside:
            result = fetch(str(job.remote_id), beside)
            _remove_empty_folders(beside)
            origin = Origin(job=job.id, target=job.target, files=_written(beside), form=form)
            write(beside / ORIGIN, origin.model_dump_json(indent=2, exclude_none=True).encode())
            follow_umask(beside)
            check_free(target, job.id, form)  # again: a download may take hours
    except OSError as problem:
        raise InputError(f"{folder} cannot be written: {problem}", hint="Name another folder, or make room.") from None
    if result.path is None:
        return result
    path = folder / result.path.relative_to(beside)
    return result.model_copy(
        update={"path": path, "model": str(path) if result.model == str(result.path) else result.model}
    )


def check_free(folder: Path, job_id: str | None = None, form: ExportForm | None = None) -> None:
    """Raises `InputError` unless a result may be written to `folder`: it is new, empty, or of that job and form.

    A file of that result that was changed is not overwritten either; one that was removed is written again.
    """
    if not folder.is_dir():
        if folder.exists() or folder.is_symlink():
            raise InputError(f"{folder} is a file, and the result is a folder", hint="Name a folder.")
        return
    if Path.cwd().is_relative_to(folder.resolve()):
        raise InputError(
            f"{folder} is the working folder or contains it, and so cannot be replaced by the result",
            hint="Name a folder below it, such as result.",
        )
    hint = "Name a folder that is new or empty."
    origin = _origin(folder)
    own = {ORIGIN, *origin.files, *_folders_of(origin)} if origin else set()
    if foreign := next((name for name in _leaves(folder) if name not in own), None):
        problem = f"{folder} holds files that do not belong to this result, for example {printable(foreign, 200)}"
    elif origin and origin.job != job_id:
        problem = f"{folder} holds the result of job {origin.job}"
    elif origin and origin.form != form:
        problem = f"{folder} holds the same job's result {f'as {origin.form}' if origin.form else 'as it was fetched'}"
    elif origin and (changed := _first_changed(folder, origin)):
        problem = f"{folder / changed} was changed after it was fetched, and would be overwritten"
        hint = "Move it to another folder, or name a folder that is new or empty."
    else:
        return
    raise InputError(problem, hint=hint)


def _origin(folder: Path) -> Origin | None:
    """The origin that ftbridge wrote there, if it did."""
    try:
        return Origin.model_validate_json((folder / ORIGIN).read_bytes(), extra="allow")
    except (OSError, ValidationError):
        return None


def _folders_of(origin: Origin) -> Iterator[str]:
    """The folders of the result, which are empty once their files were removed."""
    for name in origin.files:
        yield from map(str, Path(name).parents)


def _leaves(folder: Path) -> Iterator[str]:
    """Everything in the folder that nothing is in: files, links and empty folders."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir() or not any(path.iterdir()):
            yield str(path.relative_to(folder))


def _written(folder: Path) -> dict[str, Written]:
    return {name: _as_written(folder / name) for name in sorted(_leaves(folder))}


def _as_written(file: Path) -> Written:
    return Written(bytes=file.stat().st_size, xxh3_128=content_key(file))


def _first_changed(folder: Path, origin: Origin) -> str | None:
    for name, written in origin.files.items():
        file = folder / name
        if file.is_symlink() or (file.exists() and not _is_as_written(file, written)):
            return name
    return None


def _is_as_written(file: Path, written: Written) -> bool:
    return file.stat().st_size == written.bytes and content_key(file) == written.xxh3_128


def _remove_empty_folders(folder: Path) -> None:
    """No file tells of them, so that they would be taken for the user's own later."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            with suppress(OSError):  # it is not empty
                path.rmdir()
