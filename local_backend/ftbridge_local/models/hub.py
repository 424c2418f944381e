"""Models of the Hugging Face hub, and the check that a model's files are complete and safe to load."""

from __future__ import annotations

import logging
from pathlib import Path

from ftbridge.errors import ModelNotFound, NetworkError
from ftbridge.foreign.names import is_pickle
from ftbridge_local.models.source import COMPANIONS

WAYS_TO_NAME = (
    "Name the model as tiny, as the path of a Hugging Face folder, as ORG/NAME at the hub, or as a finished job."
)
_TIMEOUT_SECONDS = 20.0


def download(model: str, *, weights: bool, offline: bool) -> Path:
    """The folder of ORG/NAME in the hub's cache, downloaded if it is not there."""
    from huggingface_hub import HfApi, constants, snapshot_download

    patterns = [*COMPANIONS, *(["*.safetensors"] if weights else [])]
    try:
        folder = Path(snapshot_download(model, allow_patterns=patterns, local_files_only=True))
    except FileNotFoundError:
        if offline:
            raise ModelNotFound(
                f"{model} is not on this machine, and nothing is downloaded for a comparison",
                hint="`ftbridge check --to` with this target downloads its tokenizer; or name a folder that is here.",
            ) from None
        if constants.HF_HUB_OFFLINE:
            raise ModelNotFound(
                f"{model} is not in the hub's cache, and HF_HUB_OFFLINE forbids downloading it",
                hint=f"Unset HF_HUB_OFFLINE, or name another model. {WAYS_TO_NAME}",
            ) from None
    else:
        check_files(model, {file.name for file in folder.iterdir()}, weights=weights)
        return folder
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its client logs each of its own retries
    try:
        # unlike the listing of a model's files, this request is not retried, and so fails at once
        names = {file.rfilename for file in HfApi().model_info(model, timeout=_TIMEOUT_SECONDS).siblings or ()}
        check_files(model, names, weights=True)
        return Path(snapshot_download(model, allow_patterns=patterns))
    except ModelNotFound:
        raise
    except Exception as problem:  # the hub's client does not wrap the errors of its HTTP client
        status = getattr(getattr(problem, "response", None), "status_code", 500)
        if status < 500:
            raise ModelNotFound(
                f"{model} is not on this machine, and the hub answered {status}",
                hint=f"Check the name; some models need a login (HF_TOKEN). {WAYS_TO_NAME}",
            ) from problem
        raise NetworkError(
            f"{model} is not on this machine, and the hub could not be reached: {type(problem).__name__}",
            hint="Check the network and try again, or name a folder that is here.",
        ) from problem


def check_files(model: str, names: set[str], *, weights: bool) -> None:
    """Raises `ModelNotFound` where config, tokenizer or, with `weights`, safetensors are missing among `names`."""
    if "config.json" not in names:
        raise ModelNotFound(f"{model} is not a model: it has no config.json", hint=WAYS_TO_NAME)
    if "tokenizer.json" not in names:
        raise ModelNotFound(
            f"{model} has no tokenizer.json",
            hint="transformers writes one: AutoTokenizer.from_pretrained(…).save_pretrained(…).",
        )
    check_weights(model, names, required=weights)


def check_weights(model: str, names: set[str], *, required: bool) -> None:
    """Raises `ModelNotFound` where there are only pickled weights, or none though they are `required`."""
    pickled = any(map(is_pickle, names))
    if (required or pickled) and not any(name.endswith(".safetensors") for name in names):
        only = " only pickled weights, which can run code when they are loaded, and" if pickled else ""
        raise ModelNotFound(
            f"{model} has{only} no safetensors",
            hint="transformers and peft write them: save_pretrained(…).",
        )
