"""Where a model is: `tiny`, a Hugging Face folder, ORG/NAME at the hub, an adapter's folder, or an earlier job's."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from ftbridge.errors import ModelNotFound, NetworkError
from ftbridge_local.tiny import base as tiny

ADAPTER = "adapter_config.json"
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")
_HUB_SECONDS = 20.0
_JOB = re.compile(r"ftb_[0-9a-z]+")
_HOW = "Name it as tiny, as the path of a Hugging Face folder, as ORG/NAME at the hub, or as a job that is done."


class Source(NamedTuple):
    """A model's parts: `base` is its folder, `name` what adapters call it, `adapter` the folder of one on top of it."""

    name: str
    base: Path
    adapter: Path | None = None


def resolve(model: str, home: Path) -> str:
    """The same model by a name that does not depend on the working folder, an earlier job by its whole id."""
    if _JOB.fullmatch(model):
        begun_so = [job.name for job in (home / "local" / "jobs").glob(f"{model}*")]
        return begun_so[0] if len(begun_so) == 1 else model
    folder = Path(model).expanduser()
    is_path = model != tiny.NAME and (folder.is_dir() or not _HUB_NAME.fullmatch(model))
    return os.path.abspath(folder) if is_path else model  # noqa: PTH100 - resolve() follows links, and the hub's cache has many


def find(model: str, home: Path, *, weights: bool, offline: bool = False) -> Source:
    """The model's folder, with its tokenizer and config at least, and with `weights` all of it.

    What is not on this machine yet is made (`tiny`) or downloaded (the hub, unless `offline` or HF_HUB_OFFLINE is set).
    Raises `ModelNotFound`, which says what is missing, and `NetworkError` where the hub cannot be reached.
    """
    model = resolve(model, home)
    if model == tiny.NAME:
        base = tiny.complete_folder(home) if weights else tiny.tokenizer_folder(home)
        return Source(str(base), base)
    folder = _result_of(model, home) if _JOB.fullmatch(model) else Path(model)
    if (folder / ADAPTER).is_file():
        _check_weights(model, {file.name for file in folder.iterdir()}, needed=weights)
        below = find(_base_of(folder), home, weights=weights, offline=offline)
        return below._replace(adapter=folder)
    if not folder.is_absolute():
        return Source(model, _from_hub(model, weights=weights, offline=offline))
    if not folder.is_dir():
        raise ModelNotFound(f"there is no folder {folder}", hint=_HOW)
    _check(model, {file.name for file in folder.iterdir()}, weights=True)
    return Source(str(folder), folder)


def announced(model: str, home: Path) -> str:
    """What `find` is about to do, as a sentence, where it may take its time."""
    if model == tiny.NAME and not tiny.built(home):
        return "building the base tiny, once for all jobs: it takes half a minute"
    return f"getting the base {model} ready"


def parameters(source: Source) -> int:
    """How many numbers the base is made of, by the heads of its safetensors; one that is shared counts once."""
    counted = 0
    for file in source.base.glob("*.safetensors"):
        with file.open("rb") as weights:
            head = json.loads(weights.read(int.from_bytes(weights.read(8), "little")))
        counted += sum(math.prod(tensor["shape"]) for name, tensor in head.items() if name != "__metadata__")
    return counted


def copy_beside(base: Path, folder: Path) -> None:
    """Copy what belongs to a model beside its weights and config: tokenizer, template, how it ends an answer."""
    for file in [*base.glob("*.json"), *base.glob("*.jinja")]:
        if file.name != "config.json" and not file.name.endswith(".index.json"):
            shutil.copyfile(file, folder / file.name)


def _result_of(job: str, home: Path) -> Path:
    folder = home.absolute() / "local" / "jobs" / job / "result"
    if not folder.parent.exists():
        raise ModelNotFound(f"there is no job {job} on this machine", hint="`ftbridge jobs` lists them.")
    if not folder.exists():
        raise ModelNotFound(f"job {job} has no result on this machine", hint=f"`ftbridge show {job}` tells why.")
    return folder


def _base_of(adapter: Path) -> str:
    config = json.loads((adapter / ADAPTER).read_text("utf-8"))
    base = str(config["base_model_name_or_path"])
    made_elsewhere = Path(base).name == tiny.FOLDER and not Path(base).exists()
    return tiny.NAME if made_elsewhere else base


def _check(model: str, names: set[str], *, weights: bool) -> None:
    if "config.json" not in names:
        raise ModelNotFound(f"{model} is no model: it has no config.json", hint=_HOW)
    if "tokenizer.json" not in names:
        raise ModelNotFound(
            f"{model} has no tokenizer.json",
            hint="transformers writes one: AutoTokenizer.from_pretrained(…).save_pretrained(…).",
        )
    _check_weights(model, names, needed=weights)


def _check_weights(model: str, names: set[str], *, needed: bool) -> None:
    pickled = any(name.endswith(_PICKLED) for name in names)
    if (needed or pickled) and not any(name.endswith(".safetensors") for name in names):
        only = " only pickled weights, which can run code when they are loaded, and" if pickled else ""
        raise ModelNotFound(
            f"{model} has{only} no safetensors",
            hint="transformers and peft write them: save_pretrained(…).",
        )


def _from_hub(model: str, *, weights: bool, offline: bool) -> Path:
    from huggingface_hub import HfApi, constants, snapshot_download

    wanted = ["*.json", "*.jinja", *(["*.safetensors"] if weights else [])]
    try:
        folder = Path(snapshot_download(model, allow_patterns=wanted, local_files_only=True))
    except FileNotFoundError:
        if offline:
            raise ModelNotFound(
                f"{model} is not on this machine, and nothing is downloaded to compare",
                hint="`ftbridge check --to` with this target downloads its tokenizer; or name a folder that is here.",
            ) from None
        if constants.HF_HUB_OFFLINE:
            raise ModelNotFound(
                f"{model} is not in the hub's cache, and HF_HUB_OFFLINE forbids to download it",
                hint=f"Unset HF_HUB_OFFLINE, or name another model. {_HOW}",
            ) from None
    else:
        _check(model, {file.name for file in folder.iterdir()}, weights=weights)
        return folder
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its client tells of each of its own tries
    try:
        # unlike the listing of a model's files, this is asked once, and so fails at once
        names = {file.rfilename for file in HfApi().model_info(model, timeout=_HUB_SECONDS).siblings or ()}
        _check(model, names, weights=True)
        return Path(snapshot_download(model, allow_patterns=wanted))
    except ModelNotFound:
        raise
    except Exception as problem:  # the hub's client lets through whatever its HTTP client raises
        status = getattr(getattr(problem, "response", None), "status_code", 500)
        if status < 500:
            raise ModelNotFound(
                f"{model} is not on this machine, and the hub does not give it: it answered {status}",
                hint=f"See that the name is right; some models want a login (HF_TOKEN). {_HOW}",
            ) from problem
        raise NetworkError(
            f"{model} is not on this machine, and the hub could not be reached: {type(problem).__name__}",
            hint="Look at the network and try again, or name a folder that is here.",
        ) from problem
