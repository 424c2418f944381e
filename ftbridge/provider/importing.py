"""What vendors' rooms have in common where a job is taken out whole: its fields, our words for them, its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ftbridge.errors import ProviderError
from ftbridge.files import replacing
from ftbridge.model import Hyperparameters
from ftbridge.provider import ImportedJob, Listed

REPEATED = "repeated"
"""The word for a vendor's field that tells what another one tells as well."""


def exported(
    listed: Listed,
    body: Mapping[str, Any],
    content: Callable[[str], bytes],
    folder: Path,
    *,
    known: Mapping[str, str],
    words: Mapping[str, str],
    within: tuple[str, ...] = (),
) -> ImportedJob:
    """A job whose vendor tells `body` of it, its files read back by `content` into `folder`.

    `known` are our words for single fields, or whole objects, by dotted path; `words` the vendor's names of
    hyperparameters, where they differ, which stand at the top of the body or in the objects `within`. A file that may
    not be read is no error, and is told.
    """
    fields = flattened(body)
    files = {"training": listed.training_file, "validation": listed.validation_file}
    written, said = read_files(files, content, folder)
    return ImportedJob(
        listed=listed,
        fields=fields,
        words=our_words(fields, known, words, within),
        training=written.get("training"),
        validation=written.get("validation"),
        said=tuple(said),
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


def our_words(
    fields: Iterable[str], known: Mapping[str, str], words: Mapping[str, str], within: tuple[str, ...] = ()
) -> dict[str, str]:
    """Our words for a vendor's fields: those that are `known`, and hyperparameters, also `within` objects.

    Where several fields tell one hyperparameter, the one in the last of `within` has its name, and the others
    are `REPEATED`.
    """
    theirs = {words.get(name, name): name for name in Hyperparameters.model_fields}
    ranks = {place: rank for rank, place in enumerate(("", *within))}
    found: dict[str, str] = {}
    told: dict[str, str] = {}
    for path in fields:
        place, _, last = path.rpartition(".")
        if word := _known_word(path, known):
            found[path] = word
        elif last in theirs and place in ranks:
            word = theirs[last]
            found[path] = word
            if other := told.get(word):
                path, other = sorted((path, other), key=lambda one: ranks[one.rpartition(".")[0]], reverse=True)
                found[other] = REPEATED
            told[word] = path
    return found


def _known_word(path: str, known: Mapping[str, str]) -> str | None:
    """The word for a field, or for the object that it is in."""
    parts = path.split(".")
    return next((known[name] for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in known), None)


def read_files(
    names: Mapping[str, str | None], content: Callable[[str], bytes], folder: Path
) -> tuple[dict[str, Path], list[str]]:
    """The vendor's files, written into `folder` as NAME.jsonl, and a sentence for each that may not be read.

    They are their owner's alone: training data is nobody else's.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written: dict[str, Path] = {}
    said = []
    for name, file_id in names.items():
        if not file_id:
            continue
        try:
            read = content(file_id)
        except ProviderError as problem:
            said.append(f"the {name} file {file_id} cannot be read back: {problem.message}")
            continue
        written[name] = folder / f"{name}.jsonl"
        _write_private(written[name], read)
    return written, said


def _write_private(file: Path, content: bytes) -> None:
    with replacing(file) as beside:
        beside.touch(mode=0o600)
        beside.write_bytes(content)
