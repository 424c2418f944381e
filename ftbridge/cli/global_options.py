"""The options of all commands, which may stand before the command or after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ftbridge.errors import UsageError

Verbose: TypeAlias = Annotated[bool, typer.Option("--verbose", "-v", help="Print the log on stderr.")]
LogFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--log-file", help="Append to this file what happens: submissions, status changes, retries, errors."),
]


@dataclass
class GlobalOptions:
    """What was chosen of them."""

    debug: bool = False
    insecure_base_url: bool = False
    verbose: bool = False
    log_file: Path | None = None


_SWITCHES = {
    "--debug": "debug",
    "--insecure-base-url": "insecure_base_url",
    "--verbose": "verbose",
    "-v": "verbose",
}


def take_global_options(arguments: Sequence[str]) -> tuple[GlobalOptions, list[str]]:
    """These options of a command line, and its other arguments. Raises `UsageError` where a value is missing."""
    chosen, others = GlobalOptions(), list[str]()
    words = iter(arguments)
    for word in words:
        if word == "--":  # all that follows is an argument of the command
            return chosen, [*others, word, *words]
        name, is_joined, value = word.partition("=")
        if word in _SWITCHES:
            setattr(chosen, _SWITCHES[word], True)
        elif name == "--log-file":
            chosen.log_file = Path(value if is_joined else _next(words))
        else:
            others.append(word)
    return chosen, others


def with_values(arguments: Sequence[str]) -> list[str]:
    """The arguments of a command, with a 0 after `--show-mask` where no number is: typer has no optional values."""
    words: list[str] = []
    for word, after in zip_longest(arguments, arguments[1:], fillvalue=""):
        words.append(word)
        if word == "--show-mask" and "--" not in words and not after.isdecimal():
            words.append("0")
    return words


def _next(words: Iterator[str]) -> str:
    value = next(words, "")
    if not value or value.startswith("-"):
        raise UsageError("--log-file needs the name of a file", hint="Write it as --log-file ftbridge.log.")
    return value
