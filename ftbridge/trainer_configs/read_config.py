"""Reading another trainer's config: the job of ftbridge that does the same, as far as there is one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from ftbridge.context import Context
from ftbridge.errors import InputError
from ftbridge.foreign.values import number_of
from ftbridge.model import Frozen, Hyperparameters, Method
from ftbridge.spec import make_spec
from ftbridge.trainer_configs.config_keys import ConfigKeys, NotCarried
from ftbridge.trainer_configs.known import TRAINERS, trainer_of
from ftbridge.trainer_configs.trainer import Config
from ftbridge.wording import printable

_LARGEST = 2**20  # bytes of a config
_NO_WORD = "ftbridge has no word for it"


class ImportedConfig(Frozen):
    """A config of another trainer as a job of ftbridge.

    `target`, `data` and `validation` are None where the config names none that can be used. `not_carried` are the keys
    that mean something and have no place in the job, each with the reason; `aside` those without meaning for what is
    learned: where to log, how often to save, which attention.
    """

    file: str
    trainer: str
    target: str | None
    data: str | None
    validation: str | None
    method: Method
    hyperparameters: Hyperparameters
    not_carried: tuple[NotCarried, ...]
    aside: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command that does the same; words in capitals are to be filled in."""
        words = ["ftbridge", "run", self.data or "DATA", "--to", self.target or "local:MODEL"]
        words += ["--method", str(self.method)] if self.method is not Method.SFT else []
        words += ["--validation", self.validation] if self.validation else []
        for name, value in self.hyperparameters.given().items():
            words += [f"--{name.replace('_', '-')}", f"{value}"]
        return shlex.join(words)


def import_config(context: Context, file: str | Path) -> ImportedConfig:
    """The job that a config of Axolotl, LLaMA-Factory, TRL or Unsloth describes, in YAML or JSON.

    Raises `InputError` for a file that cannot be read, or is of none of them, and `SpecError` for a value that is out
    of range.
    """
    path = Path(file)
    config = _read(path)
    trainer = trainer_of(config)
    if trainer is None:
        named = printable(", ".join(map(str, config)), 100)
        raise InputError(
            f"{path} is no config that ftbridge knows: its keys are {named}",
            hint=f"Configs of these are read: {', '.join(TRAINERS)}.",
        )
    keys = ConfigKeys(config, path.parent)
    try:
        trainer.read(keys)
    except (AttributeError, TypeError, ValueError) as problem:  # a list where the trainer has a mapping, and the like
        raise InputError(
            f"{path} does not have the form of a config of {trainer.name}: {printable(str(problem))}",
            hint=f"Check it with {trainer.name} itself.",
        ) from None
    aside = tuple(key for key in keys.left if key in trainer.aside)
    for key, value in keys.left.items():
        if key not in aside:
            keys.leave(key, value, _NO_WORD)
    data, validation = (_file(name, path.parent, keys) for name in (keys.data, keys.validation))
    _set_warmup(keys, data)
    settings = _settings(keys)
    return ImportedConfig(
        file=str(path),
        trainer=trainer.name,
        target=f"local:{_model(keys.model, path.parent)}" if keys.model else None,
        data=data,
        validation=validation,
        method=keys.method,
        hyperparameters=settings,
        not_carried=tuple(keys.not_carried),
        aside=aside,
    )


def _read(path: Path) -> Config:
    """The mapping in the file; JSON is YAML."""
    import yaml

    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is too large for a config", hint="Name the config of the trainer.")
        found = yaml.safe_load(path.read_text("utf-8-sig"))
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"{path} cannot be read: {reason}", hint="Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as problem:
        first = str(problem).splitlines()[0]
        raise InputError(f"{path} is neither YAML nor JSON: {printable(first, 100)}", hint="Check the file.") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} does not hold keys and values", hint="Name the config of the trainer.")
    return found


def _settings(keys: ConfigKeys) -> Hyperparameters:
    """The hyperparameters in ftbridge's types; YAML reads 2e-4, which has no point, as a text."""
    given = {name: _number(value) for name, value in keys.settings.items()}
    if given.get("tuning") == "full":
        given = {name: value for name, value in given.items() if not name.startswith("lora_")}
    if keys.method is not Method.DPO:
        given.pop("beta", None)
    epochs = given.get("epochs")
    if isinstance(epochs, float):
        if epochs.is_integer():
            given["epochs"] = int(epochs)
        else:
            keys.leave("epochs", given.pop("epochs"), "ftbridge counts whole epochs")
    spec = make_spec(target="local:any", data=Path("data"), method=str(keys.method), hyperparameters=given)
    return spec.hyperparameters


def _number(value: Any) -> Any:
    number = number_of(value) if isinstance(value, str) else None
    return value if number is None else number


def _set_warmup(keys: ConfigKeys, data: str | None) -> None:
    """The warm-up as a share of the steps, which depend on the rows."""
    if keys.warmup_steps is None:
        return
    rows = _rows(Path(data)) if data else None
    batch, epochs = keys.settings.get("batch_size", 1), keys.settings.get("epochs", 1)
    if not rows or not all(isinstance(one, int | float) and one > 0 for one in (batch, epochs, keys.warmup_steps)):
        keys.leave("warmup_steps", keys.warmup_steps, "give --warmup-ratio: its share of the steps, 0 to 1")
        return
    steps = epochs * -(-rows // batch)
    keys.settings["warmup_ratio"] = round(min(1.0, keys.warmup_steps / steps), 4)


def _rows(file: Path) -> int | None:
    """The number of rows of a file of lines; None for others."""
    if file.suffix != ".jsonl" or not file.is_file():
        return None
    with file.open("rb") as content:
        return sum(1 for line in content if line.strip())


def _file(name: str | None, folder: Path, keys: ConfigKeys) -> str | None:
    """A file beside the config, or in the working folder."""
    if name is None:
        return None
    for suffix in ("", ".jsonl", ".json"):
        for file in (folder / f"{name}{suffix}", Path(f"{name}{suffix}")):
            if file.is_file():
                return str(file)
    keys.leave("data", name, "there is no such file here")
    return None


def _model(name: str, folder: Path) -> str:
    """A folder beside the config, or the name as it is."""
    return str(folder / name) if name.startswith(".") and (folder / name).is_dir() else name
