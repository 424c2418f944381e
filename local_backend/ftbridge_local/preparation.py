"""What the provider writes into a new job folder: the spec, the data, and what of the model belongs to earlier jobs."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ftbridge.files import PRIVATE_FILE, replacing, whole_folder, write
from ftbridge.model import Spec
from ftbridge.provider import Files
from ftbridge_local.job_documents import TRAINING, UPLOADS, VALIDATION, JobSpec
from ftbridge_local.job_folder import ADAPTER, MODEL, TEACHER, TEACHER_ADAPTER, JobFolder
from ftbridge_local.models.source import Source
from ftbridge_local.models.tiny import base as tiny


def prepare(
    spec: Spec,
    model: str,
    files: Files,
    source: Source,
    teacher: Source | None,
    home: Path,
    *,
    travels: bool = False,
) -> Callable[[JobFolder], None]:
    """A function that fills a job folder, so that a copy of it can be trained with another home on another machine.

    The data is copied, and so are adapters. So is a base that is the result of an earlier job of this home; files of
    the home never change, and are hard links where the file system has them. `tiny` is built wherever it is needed, and
    ORG/NAME is downloaded. A model folder of the user's own stays where it is, unless the folder `travels`: it is then
    about to be sent away, has symbolic links instead of copies, and every folder that is named by its path.
    """
    local = home / "local"
    place = os.symlink if travels else partial(_copy_file, ours=local)
    put = partial(_put, local=local, place=place, travels=travels)

    def fill(job: JobFolder) -> None:
        _copy(Path(files.training), job.path / TRAINING, place)
        if files.validation:
            _copy(Path(files.validation), job.path / VALIDATION, place)
        base, adapter = put(source, job, names=(MODEL, ADAPTER))
        its_base, its_adapter = put(teacher, job, names=(TEACHER, TEACHER_ADAPTER)) if teacher else (None, None)
        job.write_spec(
            JobSpec(
                model=model,
                base=base,
                adapter=adapter,
                teacher=its_base,
                teacher_adapter=its_adapter,
                method=spec.method,
                hyperparameters=spec.hyperparameters,
                name=spec.name,
                validation=VALIDATION if files.validation else None,
                sha256={
                    name: _sha256(job.path / name) for name in (TRAINING, VALIDATION) if (job.path / name).exists()
                },
            )
        )
        write(job.path / UPLOADS, files.model_dump_json(exclude_none=True).encode())

    return fill


def _put(
    source: Source,
    job: JobFolder,
    *,
    names: tuple[str, str],
    local: Path,
    place: Callable[[Path, Path], None],
    travels: bool,
) -> tuple[str, str | None]:
    """What names the base and the adapter in the job folder; what has to be in it is put there, by these `names`."""
    model, adapter = names
    if source.adapter:
        _copy_folder(source.adapter, job.path / adapter, place)
    is_tiny = source.base.is_relative_to(local / "bases")
    if source.base.is_relative_to(local / "jobs") or (travels and not is_tiny and Path(source.name).is_absolute()):
        _copy_folder(source.base, job.path / model, place)
        base = model
    else:
        base = tiny.NAME if is_tiny else source.name
    return base, adapter if source.adapter else None


def _copy_folder(source: Path, target: Path, place: Callable[[Path, Path], None]) -> None:
    with whole_folder(target) as temporary:
        for file in source.iterdir():
            if file.is_file():
                place(file, temporary / file.name)


def _copy(source: Path, target: Path, place: Callable[[Path, Path], None]) -> None:
    with replacing(target) as temporary:
        temporary.unlink()  # a link is made only where there is nothing
        place(source, temporary)


def _copy_file(source: Path, target: Path, ours: Path) -> None:
    """A hard link where the file is below the folder `ours`, so that nobody changes it, and else a copy."""
    if source.is_relative_to(ours):
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without hard links
            pass
        else:
            return
    target.touch(PRIVATE_FILE)
    shutil.copyfile(source, target)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
