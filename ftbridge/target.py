"""The config string that names where a job runs: `provider:model`, or `mock+provider:model`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from ftbridge.errors import TargetError
from ftbridge.wording import did_you_mean, printable

_SHAPE = re.compile(r"(?P<mock>mock\+)?(?P<provider>[a-z][a-z0-9_-]{,63}):(?P<model>\S(?:.*\S)?)")
_LONGEST = 4096  # characters, as the longest path
_EXAMPLES = "local:tiny, local:./my-model or openai:gpt-4.1-mini-2025-04-14"


class Target(NamedTuple):
    """A provider, its model, and whether a mock takes the place of the vendor."""

    provider: str
    model: str
    mocked: bool = False

    def __str__(self) -> str:
        return f"{'mock+' if self.mocked else ''}{self.provider}:{self.model}"


def parse_target(text: str, names: Mapping[str, str] | None = None) -> Target:
    """The target that a config string means; `names` are the `[targets]` of ftbridge.toml, `None` where there is none.
    A string with a colon is a target itself, whatever `names` has.

    >>> parse_target("local:tiny")
    Target(provider='local', model='tiny', mocked=False)

    Raises `TargetError` for a string that has another shape and is not a known name.
    """
    no_file, names = names is None, names or {}
    match = _SHAPE.fullmatch((text if ":" in text else names.get(text, text)).strip())
    if match and len(text) <= _LONGEST:
        return Target(match["provider"], match["model"], bool(match["mock"]))
    if text in names:
        raise TargetError(
            f"[targets] {text} = {names[text]!r} is not a target",
            hint=f"Write it as provider:model, for example {_EXAMPLES}.",
        )
    known = f" Names in [targets] of ftbridge.toml: {', '.join(sorted(names))}." if names else ""
    if no_file and ":" not in text:
        known = " No ftbridge.toml was found in this folder or above it, so no names are defined."
    shape = f"Write provider:model, for example {_EXAMPLES}; `ftbridge catalogue` lists models."
    hint = f"{did_you_mean(text, names)}{shape}{known}"
    raise TargetError(f"{printable(repr(text))} is not a target", hint=hint)


def split_targets(text: str, providers: Iterable[str], names: Collection[str]) -> list[str]:
    """The targets in a text, which commas may separate: where a target begins, or a name is. A path may have others.

    >>> split_targets("local:./a,b,openai:gpt-4.1", ["local", "openai"], [])
    ['local:./a,b', 'openai:gpt-4.1']
    """
    begins = rf"(?:mock\+)?(?:{'|'.join(map(re.escape, providers))}):"
    is_name = rf"(?:{'|'.join(map(re.escape, names))})\s*(?:,|$)"
    return re.split(rf"\s*,\s*(?={begins}|{is_name})" if names else rf"\s*,\s*(?={begins})", text)
