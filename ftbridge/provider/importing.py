"""What adapters share to import a job whole: its fields, what each of them means here, and its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ftbridge.errors import ProviderError
from ftbridge.files import make_folder, write
from ftbridge.model import Hyperparameters
from ftbridge.provider import ImportedJob, Listed

REPEATED = "repeated"
"""The meaning of a vendor's field that repeats another field."""


def imported_job(
    listed: Listed,
    body: Mapping[str, Any],
    content: Callable[[str], bytes],
    folder: Path,
    *,
    meanings: Mapping[str, str],
    names: Mapping[str, str],
    within: tuple[str, ...] = (),
) -> ImportedJob:
    """A job that its vendor describes by `body`; `content` reads its files, which are written into `folder`.

    `meanings`, `names` and `within` are as in `field_meanings`. A file that may not be read becomes a warning.
    """
    fields = flattened(body)
    files = {"training": listed.training_file, "validation": listed.validation_file}
    written, warnings = read_files(files, content, folder)
    return ImportedJob(
        listed=listed,
        fields=fields,
        meanings=field_meanings(fields, meanings, names, within),
        training=written.get("training"),
        validation=written.get("validation"),
        warnings=tuple(warnings),
    )


def flattened(body: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Every field of a JSON object by its dotted path; lists are one value each."""
    fields: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, Mapping) and value:
            fields |= flattened(value, f"{prefix}{name}.")
        else:
            fields[prefix + name] = value
    return fields


def field_meanings(
    fields: Iterable[str], meanings: Mapping[str, str], names: Mapping[str, str], within: tuple[str, ...] = ()
) -> dict[str, str]:
    """What each of a vendor's fields means here; a field that means nothing here is left out.

    `meanings` are those of single fields, or of whole objects, by dotted path. `names` are the vendor's names of
    hyperparameters where they differ; a hyperparameter is at the top of the body or in one of the objects `within`.
    Where several fields hold one hyperparameter, the field in the last of `within` counts and the others are
    `REPEATED`.
    """
    hyperparameters = {names.get(name, name): name for name in Hyperparameters.model_fields}
    ranks = {parent: rank for rank, parent in enumerate(("", *within))}
    found: dict[str, str] = {}
    path_of: dict[str, str] = {}
    for path in fields:
        parent, _, last = path.rpartition(".")
        if meaning := _meaning_of(path, meanings):
            found[path] = meaning
        elif last in hyperparameters and parent in ranks:
            meaning = hyperparameters[last]
            found[path] = meaning
            if other := path_of.get(meaning):
                path, other = sorted((path, other), key=lambda one: ranks[one.rpartition(".")[0]], reverse=True)
                found[other] = REPEATED
            path_of[meaning] = path
    return found


def _meaning_of(path: str, meanings: Mapping[str, str]) -> str | None:
    """The meaning of a field, or of the nearest object that contains it."""
    parts = path.split(".")
    parents = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((meanings[name] for name in parents if name in meanings), None)


def read_files(
    file_ids: Mapping[str, str | None], content: Callable[[str], bytes], folder: Path
) -> tuple[dict[str, Path], list[str]]:
    """The vendor's files, written into `folder` as NAME.jsonl, and a warning for each that may not be read.

    Only the owner can read them, because they are training data.
    """
    make_folder(folder)
    written: dict[str, Path] = {}
    warnings = []
    for name, file_id in file_ids.items():
        if not file_id:
            continue
        try:
            data = content(file_id)
        except ProviderError as problem:
            warnings.append(f"the {name} file {file_id} cannot be read back: {problem.message}")
            continue
        written[name] = folder / f"{name}.jsonl"
        write(written[name], data)
    return written, warnings
