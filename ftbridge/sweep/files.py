"""What the trials of a sweep train on, and the rows on which they are judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from ftbridge.context import Context
from ftbridge.dataset import prepare
from ftbridge.dataset.data_file import Data, DataFile, data_file
from ftbridge.dataset.reading.given import Given, check_command, given
from ftbridge.errors import DataError, UsageError
from ftbridge.files import content_key
from ftbridge.home import temporary_folder
from ftbridge.wording import counted


class SweepFiles(NamedTuple):
    """The files as they are to be read: by `format` and with the columns `map`.

    `given` is the file that the user knows, read by `given_format`; where rows were held out, `training` is a part of
    it. `data_key` and `validation_key` are the hashes of what was given, `validation_key` is `None` where rows were
    held out; `held_out` says in words which rows judge the trials.
    """

    given: Data
    given_format: str | None
    training: Data
    validation: Data
    format: str | None
    map: Mapping[str, str] | None
    data_key: str
    validation_key: str | None
    held_out: str


@contextmanager
def open_files(
    context: Context,
    data: Given,
    validation: Given | None,
    *,
    split: float,
    seed: int,
    format: str | None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None,  # noqa: A002 - likewise
) -> Iterator[SweepFiles]:
    """A block in which the files can be read; without `validation`, the share `split` of the rows is held out.

    Which rows these are follows from the content and `seed`. Raises `DataError` for rows with errors, and `UsageError`
    where there are too few to hold one out.
    """
    with ExitStack() as opened:
        file = opened.enter_context(given(data, context.home, often=True))
        key, columns = content_key(Path(file)), data_file(file, map)
        if validation is not None:
            held = opened.enter_context(given(validation, context.home, often=True))
            yield SweepFiles(columns, format, file, held, format, map, key, content_key(Path(held)), str(held))
            return
        folder = opened.enter_context(temporary_folder(context.home)) / "split"
        made = prepare(columns, folder, dedupe="none", validation=split, seed=seed, format=format)
        if errors := [finding for finding in made.findings if finding.level == "error"]:
            raise DataError(
                f"{file}, line {errors[0].line}: {errors[0].message}",
                hint=f"{errors[0].fix} {check_command(columns)} lists everything.",
                line=errors[0].line,
                path=errors[0].path,
            )
        if made.validation is None:
            raise UsageError(
                f"{file} has {counted(made.train.examples, 'example')}, too few to hold one out of training",
                hint="Give the rows that judge the trials with --validation, or a larger --validation-split.",
            )
        number, of_all = made.validation.examples, made.validation.examples + made.train.examples
        held_out = f"{number:,} of {counted(of_all, 'example')}, held out of training by --sweep-seed {seed}"
        training = DataFile(str(made.train.path), (), f"{file} without the held-out rows")
        validation_part = DataFile(str(made.validation.path), (), f"the held-out rows of {file}")
        yield SweepFiles(columns, format, training, validation_part, None, None, key, None, held_out)


def path_of(data: Given) -> Path | None:
    """The file's absolute path; `None` for rows and for what cannot be read a second time."""
    is_file = isinstance(data, str | PathLike) and Path(data).is_file()
    return Path(data).absolute() if is_file else None  # type: ignore[arg-type]  # what has just been checked
