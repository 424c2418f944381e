"""Finding providers: the entry-point group `ftbridge.providers`, the same for ours and for others'."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from ftbridge.errors import MissingExtra, TargetError
from ftbridge.provider import Provider
from ftbridge.target import Target

GROUP = "ftbridge.providers"


def provider_names() -> list[str]:
    """The names of all installed providers, sorted."""
    return sorted(entry.name for entry in entry_points(group=GROUP))


def load_provider(target: Target, home: Path) -> Provider:
    """The provider of `target`.

    Raises `TargetError` for a name that nobody registered, naming those that are, and
    `MissingExtra`, with the command that installs it, where the provider's own packages are absent.
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if target.provider not in found:
        raise TargetError(
            f"no provider is called {target.provider!r}",
            hint=f"Installed: {', '.join(sorted(found))}.",
        )
    if target.mocked:
        raise TargetError(f"{target.provider} has no mock", hint=f"Use {target.provider}:{target.model} itself.")
    return _load(found[target.provider])(home)


def _load(entry: EntryPoint) -> type[Provider]:
    try:
        loaded: type[Provider] = entry.load()
    except ImportError as problem:
        package = entry.dist.name if entry.dist else "ftbridge"
        raise MissingExtra(
            f"provider {entry.name} needs a package that is not installed: {problem.name or problem}",
            hint=f"Install it with: pip install '{package}[{entry.name}]'",
        ) from problem
    return loaded
