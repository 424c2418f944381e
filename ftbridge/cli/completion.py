"""What a shell completes besides commands and options: jobs, targets and providers.

Typer has the scripts for bash, zsh and fish (`--install-completion`); they run `ftbridge` at each press of the key.
Nobody is asked: jobs come from this home, models from the catalogues.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any, NamedTuple

from ftbridge.errors import FtbridgeError

VARIABLE = "_FTBRIDGE_COMPLETE"
"""The environment variable by which a shell asks for completions."""
_JOINED = "_FTBRIDGE_COMPLETE_JOINED"


class Item(NamedTuple):
    """One completion, as typer prints it."""

    value: str
    help: str = ""
    type: str = "plain"


def join_at_colons(environment: MutableMapping[str, str]) -> None:
    """Put words together that bash has taken apart at colons, as it does unless COMP_WORDBREAKS has none.

    It replaces only what follows the last colon, so completions are then printed from there on.
    """
    if environment.get(VARIABLE) != "complete_bash":
        return
    words, at = environment.get("COMP_WORDS", "").split("\n"), int(environment.get("COMP_CWORD") or 0)
    joined: list[str] = []
    for index, word in enumerate(words):
        if joined and (word.startswith(":") or joined[-1].endswith(":")):
            joined[-1] += word
        else:
            joined.append(word)
        if index == at:
            environment["COMP_CWORD"] = str(len(joined) - 1)
    if len(joined) < len(words):
        environment["COMP_WORDS"], environment[_JOINED] = "\n".join(joined), "1"


def set_completions(params: list[Any]) -> None:
    """Let the parameters of a command that are jobs, targets or providers complete what these are."""
    for param in params:
        if completions := _COMPLETIONS.get(param.name):
            param.shell_complete = _completer(completions)


def _completer(completions: Callable[[], Iterator[Item]]) -> Callable[[Any, str], list[Item]]:
    def complete(_context: Any, begun: str) -> list[Item]:
        found: list[Item] = []
        with suppress(FtbridgeError, OSError):  # whoever presses a key wants no message
            found.extend(completions())
        cut = begun.rfind(":") + 1 if os.environ.get(_JOINED) else 0
        return [item._replace(value=item.value[cut:]) for item in found if item.value.startswith(begun)]

    return complete


def _jobs() -> Iterator[Item]:
    from ftbridge.cli.next_steps import newest_records

    jobs = [record.job for record in newest_records()]
    if jobs:
        yield Item("last", "the newest job")
    names = [job.name for job in jobs if job.name and shlex.quote(job.name) == job.name]
    for name in dict.fromkeys(names):
        yield Item(name, "the newest job of that name")
    for job in jobs:
        yield Item(job.id, f"{job.status} {job.name or job.target}")


def _targets() -> Iterator[Item]:
    from ftbridge.config.load import load_config
    from ftbridge.home import find_home
    from ftbridge.plugins import mock_names, provider_names, provider_rows

    home = find_home()
    for name, target in load_config(home, lambda _warning: None).config.targets.items():
        yield Item(name, target)
    mocked = mock_names()
    for provider in provider_names():
        with suppress(FtbridgeError):
            for model in sorted({model for row in provider_rows(provider, home) for model in row.named}):
                yield Item(f"{provider}:{model}")
                if provider in mocked:
                    yield Item(f"mock+{provider}:{model}")


def _providers() -> Iterator[Item]:
    from ftbridge.plugins import provider_names

    yield from map(Item, provider_names())


_COMPLETIONS = {
    "job": _jobs,
    "jobs": _jobs,
    "against": _jobs,
    "from_job": _jobs,
    "to": _targets,
    "provider": _providers,
    "all_from": _providers,
}
"""By the names of parameters, which are the same in all commands."""
