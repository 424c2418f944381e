"""What is kept on this machine of the jobs that were trained here, and how it is removed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from ftbridge.errors import Conflict, NotFound
from ftbridge.files import remove
from ftbridge.model import Checkpoint, Event, Status
from ftbridge.provider import Artifact
from ftbridge.provider.remote import Files
from ftbridge_local.job_documents import UPLOADS
from ftbridge_local.job_folder import JobFolder

_ENDING_SECONDS = 20.0  # in which a worker that has written its last state is gone


def artifacts_of(job: JobFolder) -> list[Artifact]:
    """All of a job: the files that it was created from, its own copies, checkpoints, log, and result."""
    is_ending = job.alive and job.state().status.final  # its worker is about to remove them
    logs = [job.log] if job.log.exists() and job.log.stat().st_size else []
    return [
        *uploads_of(job, job.path.parent.with_name("files")),
        *(Artifact(kind="data", name=str(file)) for file in job.data() if not is_ending),
        *(Artifact(kind="checkpoint", name=str(folder)) for folder in sorted(job.checkpoints.glob("step-*"))),
        *(Artifact(kind="log", name=str(file)) for file in logs),
        *(Artifact(kind="temporary", name=str(path)) for path in _temporary(job)),
        *(Artifact(kind="model", name=str(folder)) for folder in [job.result] if folder.exists()),
    ]


def uploads_of(job: JobFolder, folder: Path) -> list[Artifact]:
    """The files in `folder` that the job was created from."""
    files = [folder / Path(name).name for name in _uploads(job)]
    return [_file(file) for file in files if file.exists()]


def leftovers_in(local: Path) -> Iterator[Artifact]:
    """The uploaded files, the tokenized files, tokenizers, and what was left of these by a process that died."""
    for file in sorted((local / "files").glob("*.jsonl")):
        if not file.name.startswith("."):
            yield _file(file)
    for file in sorted((local / "rows").glob("*.safetensors")):
        if not file.name.startswith("."):
            yield Artifact(kind="cache", name=str(file))
    for folder in sorted((local / "tokenizers").glob("*")):
        if not folder.name.startswith("."):
            yield Artifact(kind="tokenizer", name=str(folder))
    for folder in (local / "files", local / "rows", local / "tokenizers"):
        yield from (Artifact(kind="temporary", name=str(file)) for file in sorted(folder.glob(".new-*")))


def delete_in(local: Path, artifact: Artifact, provider: str = "local") -> None:
    """Remove what `artifact` names below `local`. Raises `NotFound`, and `Conflict` while its job is not over."""
    path, jobs = Path(artifact.name), local / "jobs"
    if not path.is_relative_to(local) or ".." in path.parts or not path.exists():
        raise NotFound(f"there is no {path}", provider=provider, hint="It is deleted already.")
    if not path.is_relative_to(jobs):
        remove(path)
        return
    job = JobFolder(jobs / path.relative_to(jobs).parts[0])
    lock = job.lock(timeout=_ENDING_SECONDS if job.state().status.final else 0.2)
    try:
        if lock is None or job.state().status in (Status.SUBMITTING, Status.PAUSED):
            raise Conflict(
                f"job {job.path.name} is not over, and needs {path.name}",
                provider=provider,
                hint=f"`ftbridge cancel {job.path.name}` ends it.",
            )
        remove(path)
    finally:
        if lock is not None:
            os.close(lock)


def checkpoints_of(folder: Path, names: Iterable[str], events: Iterable[Event]) -> list[Checkpoint]:
    """The checkpoints of these names that the job still has in `folder`, with the losses at their steps."""
    saved, losses = dict[int, Event](), dict[int, Event]()
    for event in events:
        if event.step is not None and event.kind in ("checkpoint", "metric"):
            (saved if event.kind == "checkpoint" else losses)[event.step] = event
    steps = {int(name.removeprefix("step-")): folder / name for name in sorted(names) if name.startswith("step-")}
    return [
        Checkpoint(
            model=str(path),
            at=saved[step].at,
            step=step,
            train_loss=losses[step].train_loss if step in losses else None,
            valid_loss=losses[step].valid_loss if step in losses else None,
        )
        for step, path in steps.items()
        if step in saved
    ]


def _uploads(job: JobFolder) -> list[str]:
    """The names of its files; none where they cannot be read: the files that no job needs are found without them."""
    try:
        uploads = Files.model_validate_json(job.read(UPLOADS))
    except ValidationError:
        return []
    return [name for name in dict.fromkeys((uploads.training, uploads.validation)) if name]


def _file(file: Path) -> Artifact:
    return Artifact(kind="file", name=str(file), key=file.stem)


def _temporary(job: JobFolder) -> list[Path]:
    folders = (job.path, job.checkpoints)
    left = [path for folder in folders for pattern in (".new-*", ".old-*") for path in folder.glob(pattern)]
    return sorted([*left, *([job.processes] if job.processes.exists() else [])])
