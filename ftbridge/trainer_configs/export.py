"""Writing a job as the config of another trainer, with its rows and what to run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path
from stat import S_IMODE
from typing import Any, Unpack

import msgspec
from msgspec import structs

from ftbridge.arguments import HyperparameterArguments
from ftbridge.context import Context
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.given import Given, given
from ftbridge.dataset.writing.atomic_file import mode_like
from ftbridge.dataset.writing.convert import convert
from ftbridge.errors import InputError, SpecError
from ftbridge.files import follow_umask, make_folder, whole_folder
from ftbridge.jobs.fetching import check_free
from ftbridge.model import Job, Method
from ftbridge.spec import make_spec
from ftbridge.trainer_configs.exported import ExportedConfig
from ftbridge.trainer_configs.known import find_trainer
from ftbridge.trainer_configs.readme import readme
from ftbridge.trainer_configs.settings import NEED_VALIDATION, chosen_settings, steps_of
from ftbridge.trainer_configs.source import find_model, find_source
from ftbridge.trainer_configs.survey import survey
from ftbridge.trainer_configs.trainer import CONFIG, TRAIN, VALIDATION, Plan, Trainer


def export_config(
    context: Context,
    source: Given | Job,
    to: str,
    out: str | Path,
    *,
    model: str | None = None,
    validation: Given | None = None,
    method: str | None = None,
    format: str | None = None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None = None,  # noqa: A002 - likewise
    **hyperparameters: Unpack[HyperparameterArguments],
) -> ExportedConfig:
    """Write the folder `out` with a config for the trainer `to`, the rows that it reads, and a README with the command.

    `source` is a dataset, or a job of the ledger, whose files and settings are then those of the config; what is given
    beside it wins. `model` is a name at the hub, a folder, or a target on this machine, which a job on this machine
    has itself. What nobody gives is chosen as for a large model on this machine.
    Raises `UsageError` for a trainer, a model or a setting that cannot be used, and `InputError` for files that cannot
    be read, and where `out` holds anything.
    """
    trainer, out = find_trainer(to), Path(out).absolute()
    check_free(out)
    found = find_source(context, source)
    known = {**found.hyperparameters, **{name: one for name, one in hyperparameters.items() if one is not None}}
    by = method or found.method or Method.SFT
    spec = make_spec(target="local:any", data=Path("data"), method=by, hyperparameters=known)
    if spec.method not in (Method.SFT, Method.DPO):
        raise SpecError(f"there are no configs for {trainer.name} by {spec.method}", hint="Use --method sft or dpo.")
    held = found.validation if validation is None else validation
    settings = chosen_settings(spec.hyperparameters, spec.method, validates=held is not None and trainer.validates)
    loaded_by = find_model(context, found, model)
    with ExitStack() as opened:

        def open_file(rows: Given) -> Data:
            return opened.enter_context(given(rows, context.home, map or found.map, often=True))

        files = [open_file(found.data), *([open_file(held)] if held is not None else [])]
        read_as = format or found.format
        rows = survey(files, read_as)
        trainer.check(spec.method, rows, settings)
        with_validation = len(files) > 1 and trainer.validates
        plan = Plan(loaded_by, spec.method, rows, settings, with_validation, *steps_of(settings, 0))
        result = partial(
            ExportedConfig,
            out=out,
            trainer=trainer.name,
            checked_with=trainer.checked_with,
            command=_command(trainer, plan),
            model=loaded_by,
            settings={name: value for name, value in settings.items() if name in trainer.carries},
            chosen=tuple(sorted(name for name in settings.keys() - known.keys() if name in trainer.carries)),
            notes=tuple(_notes(trainer, plan, spec.hyperparameters.given(), has_validation=held is not None)),
        )
        return _write(result, trainer, plan, files, read_as)


class _NotWrittenError(Exception):
    """Rows cannot be converted: the folder is not to appear."""


def _write(
    result: partial[ExportedConfig], trainer: Trainer, plan: Plan, files: list[Data], read_as: str | None
) -> ExportedConfig:
    """Write the folder of the `result`, which the conversions complete."""
    names = [str(Path(trainer.folder, name)) for name in (TRAIN, *[VALIDATION] * plan.validation)]
    converter = trainer.converter(plan.method, plan.rows)
    out: Path = result.keywords["out"]
    try:
        make_folder(out.parent, 0o777)
        with whole_folder(out) as beside:
            (beside / trainer.folder).mkdir(exist_ok=True)
            conversions = [
                convert(file, converter, beside / name, format=read_as, workers=None)
                for file, name in zip(files, names, strict=False)
            ]
            training, *others = [
                structs.replace(one, out=out / name) for one, name in zip(conversions, names, strict=True)
            ]
            made = result(training=training, validation=others[0] if others else None)
            if not made.written:
                raise _NotWrittenError
            rows = _lines(beside / names[0])
            plan = plan._replace(**steps_of(plan.settings, rows)._asdict())
            made = structs.replace(made, rows=rows)
            _write_documents(made, trainer, plan, beside)
            follow_umask(beside)
            for file, name in zip(files, names, strict=False):
                (beside / name).chmod(S_IMODE((beside / name).stat().st_mode) & mode_like(file))
            check_free(out)  # again: the conversion may take its time
    except _NotWrittenError:
        pass
    except OSError as problem:
        raise InputError(f"{out} cannot be written: {problem}", hint="Name another folder.") from None
    return made


def _command(trainer: Trainer, plan: Plan) -> str:
    """What to run: on as many GPUs as the batch is divided by, since a trainer would take all of a machine."""
    devices = ",".join(map(str, range(plan.settings.get("devices") or 1)))
    return f"CUDA_VISIBLE_DEVICES={devices} {trainer.command(plan)}"


def _write_documents(made: ExportedConfig, trainer: Trainer, plan: Plan, folder: Path) -> None:
    import yaml

    head = f"# For {made.checked_with}, written by ftbridge {version('ftbridge')}: see README.md.\n"
    text = yaml.safe_dump(trainer.config(plan), sort_keys=False, allow_unicode=True, width=100)
    (folder / CONFIG).write_text(head + text, "utf-8")
    for name, content in trainer.companions(plan).items():
        (folder / name).write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    (folder / "README.md").write_text(readme(made, trainer, plan), "utf-8")


def _notes(trainer: Trainer, plan: Plan, given: Mapping[str, Any], *, has_validation: bool) -> list[str]:
    """What the trainer does otherwise, and what of the given is not in its config."""
    told = list(trainer.notes(plan))
    if has_validation and not trainer.validates:
        told.append(f"{trainer.name} reads no validation file, so none is written")
    for name, value in given.items():
        if (name in plan.settings and name in trainer.carries) or (name, value) == ("train_reasoning", True):
            continue
        no_file = name in NEED_VALIDATION and not has_validation
        why = "there is no validation file" if no_file else f"{trainer.name}'s config has no key for it"
        told.append(f"{name} = {value} is left out, because {why}")
    return told


def _lines(file: Path) -> int:
    with file.open("rb") as content:
        return sum(1 for _line in content)
