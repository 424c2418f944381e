"""Where a model is: `tiny`, a Hugging Face folder, ORG/NAME at the hub, an adapter's folder, or an earlier job's."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ftbridge.errors import ModelNotFound, SpecError
from ftbridge.wording import did_you_mean
from ftbridge_local.job_folder import MODEL, TEACHER, JobFolder
from ftbridge_local.model_files import broken, read_object, understood
from ftbridge_local.models.hub import WAYS_TO_NAME, check_files, check_weights, download
from ftbridge_local.models.own_tokenizer import own_tokenizer
from ftbridge_local.models.source import ADAPTER_CONFIG, Source, shapes
from ftbridge_local.models.strangers import check_adapter, check_folder, check_index
from ftbridge_local.models.tiny import base as tiny

_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_JOB = re.compile(r"ftb_[0-9a-z]+")


def resolve(model: str, home: Path, start: Path = Path()) -> str:
    """The same model by a name that holds everywhere: paths are from `start`, an earlier job has its whole id."""
    if _JOB.fullmatch(model):
        matching = [job.name for job in (home / "local" / "jobs").glob(f"{model}*")]
        return matching[0] if len(matching) == 1 else model
    folder = start / Path(model).expanduser()
    is_path = model != tiny.NAME and (folder.is_dir() or not _HUB_NAME.fullmatch(model))
    return os.path.abspath(folder) if is_path else model  # noqa: PTH100 - resolve() follows links, and the hub's cache has many


def find(model: str, home: Path, *, weights: bool, offline: bool = False) -> Source:
    """The model's folders, with tokenizer and config at least, and with `weights` all of it.

    What is not on this machine yet is built (`tiny`) or downloaded (the hub, unless `offline` or HF_HUB_OFFLINE is
    set). Raises `ModelNotFound`, which says what is missing, and `NetworkError` where the hub cannot be reached.
    """
    model = resolve(model, home)
    if model == tiny.NAME:
        base = tiny.complete_folder(home) if weights else tiny.tokenizer_folder(home)
        return Source(str(base), base)
    folder = _result_of(model, home) if _JOB.fullmatch(model) else Path(model)
    if not folder.is_absolute():
        downloaded = download(model, weights=weights, offline=offline)
        check_index(model, downloaded)
        return Source(model, downloaded)
    with understood(folder):
        return _find_in(folder, model, home, weights=weights, offline=offline)


def _find_in(folder: Path, model: str, home: Path, *, weights: bool, offline: bool) -> Source:
    if not folder.is_dir():
        what = f"{folder} is not a folder" if folder.exists() else f"there is no folder {folder}"
        raise ModelNotFound(what, hint=f"{did_you_mean(folder.name, (tiny.NAME,))}{WAYS_TO_NAME}")
    names = {file.name for file in folder.iterdir()}
    is_adapter = ADAPTER_CONFIG in names
    if is_adapter:
        check_weights(model, names, required=weights)
    else:
        check_files(model, names, weights=True)
    if not any(folder.is_relative_to(home.absolute() / ours) for ours in ("local", "runners")):
        check_folder(model, folder)
    if not is_adapter:
        check_index(model, folder)
    elif weights:
        check_adapter(model, folder)
    shapes(folder)  # a broken file is reported before anything is trained
    if not is_adapter:
        return Source(str(folder), folder)
    base = _find_base(base_of(folder), home, weights=weights, offline=offline)
    if base.adapter:
        raise broken(folder, f"it is an adapter of an adapter, {base.adapter}: export that one as merged first")
    return _with_adapter(base, folder, home)


def _find_base(model: str, home: Path, *, weights: bool, offline: bool) -> Source:
    """The base of an adapter; one that is itself an adapter is returned as one, and not followed any further."""
    folder = Path(resolve(model, home))
    if model != tiny.NAME and (folder / ADAPTER_CONFIG).is_file():
        return Source(str(folder), folder, adapter=folder)
    return find(model, home, weights=weights, offline=offline)


def base_of(adapter: Path) -> str:
    """The base that an adapter's config names, or the same base here where the adapter was trained elsewhere."""
    named = read_object(adapter / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not isinstance(named, str) or not named:
        raise broken(adapter, f"its {ADAPTER_CONFIG} names no base model")
    base = Path(named)
    if base.is_absolute() and base.name == tiny.FOLDER and not (base / tiny.WEIGHTS).exists():
        return tiny.NAME  # it may have been built elsewhere alone
    if base.is_absolute() and not base.exists():
        copied = adapter.absolute().with_name(base.name)  # the base that came with the job, in the job folder
        if copied.is_dir():
            return str(copied)
    return str(base)


def name_for_others(model: str, home: Path) -> str:
    """What other programs load the model by: its name at the hub, or a folder. Raises `SpecError` for an adapter."""
    model = resolve(model, home)
    if model != tiny.NAME and not Path(model).is_absolute() and not _JOB.fullmatch(model):
        return model
    source = find(model, home, weights=True)
    if source.adapter:
        raise SpecError(
            f"{model} is an adapter, and a config starts from a whole model",
            hint="Write it merged first, `ftbridge export JOB --format merged --out FOLDER`, and give --model FOLDER.",
        )
    return source.name


def find_for_job(job: JobFolder, home: Path) -> Source:
    """The model that a job starts from, with all its files. Raises as `find` does."""
    spec = job.spec()
    return _in_job(job, spec.base, spec.adapter, home)


def find_teacher(job: JobFolder, home: Path) -> Source:
    """The model that a job's model learns from, with all its files. Raises as `find` does."""
    spec = job.spec()
    return _in_job(job, spec.teacher or spec.base, spec.teacher_adapter, home)


def _in_job(job: JobFolder, base: str, adapter: str | None, home: Path) -> Source:
    source = find(str(job.path / base) if base in (MODEL, TEACHER) else base, home, weights=True)
    return _with_adapter(source, job.path / adapter, home) if adapter else source


def _with_adapter(base: Source, adapter: Path, home: Path) -> Source:
    """The base with the adapter, and the tokenizer that this brings along."""
    return base._replace(adapter=adapter, own_tokenizer=own_tokenizer(adapter, base.base, home))


def find_message(model: str, home: Path) -> str:
    """What `find` is about to do, as a sentence, because it may take its time."""
    if model == tiny.NAME and not tiny.built(home):
        return tiny.BUILDING
    return f"loading the base model {model}"


def _result_of(job: str, home: Path) -> Path:
    folder = home.absolute() / "local" / "jobs" / job / "result"
    if not folder.parent.exists():
        raise ModelNotFound(f"there is no job {job} on this machine", hint="`ftbridge jobs` lists them.")
    if not folder.exists():
        raise ModelNotFound(f"job {job} has no result on this machine", hint=f"`ftbridge show {job}` says why.")
    return folder
