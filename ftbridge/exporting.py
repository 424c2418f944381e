"""What vendors' rooms have in common where a job is taken out whole: its fields, our words for them, its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ftbridge.errors import ProviderError
from ftbridge.files import write
from ftbridge.model import Hyperparameters
from ftbridge.provider import Exported, Listed


def exported(
    listed: Listed,
    body: Mapping[str, Any],
    content: Callable[[str], bytes],
    folder: Path,
    *,
    known: Mapping[str, str],
    words: Mapping[str, str],
    within: tuple[str, ...] = (),
) -> Exported:
    """A job whose vendor tells `body` of it, its files read back by `content` into `folder`.

    `known` are our words for single fields, by dotted path; `words` the vendor's names of hyperparameters,
    where they differ, which stand at the top of the body or in the objects `within`. A file that may not be
    read is no error, and is told.
    """
    fields = flattened(body)
    files = {"training": listed.training_file, "validation": listed.validation_file}
    written, said = read_files(files, content, folder)
    return Exported(
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
    """Our words for a vendor's fields: those that are `known`, and hyperparameters, also `within` objects."""
    theirs = {words.get(name, name): name for name in Hyperparameters.model_fields}
    found = {}
    for path in fields:
        place, _, last = path.rpartition(".")
        if path in known:
            found[path] = known[path]
        elif last in theirs and place in ("", *within):
            found[path] = theirs[last]
    return found


def read_files(
    names: Mapping[str, str | None], content: Callable[[str], bytes], folder: Path
) -> tuple[dict[str, Path], list[str]]:
    """The vendor's files, written into `folder` as NAME.jsonl; and a sentence for each that may not be read."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    said = []
    for name, file_id in names.items():
        if not file_id:
            continue
        try:
            write(folder / f"{name}.jsonl", content(file_id))
            written[name] = folder / f"{name}.jsonl"
        except ProviderError as problem:
            said.append(f"the {name} file {file_id} cannot be read back: {problem.message}")
    return written, said
