"""Which ftbridge.toml files apply, and how much of each.

The home's may hold everything. A project's, in the working folder or the nearest one above it, adds to it; its hooks
run, and its runners with commands count, once it is trusted. One that may be another user's doing gives targets and
nothing else, unless it is trusted: its names are below those of the user's own files, and the project's file is looked
for above it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ftbridge.config.ownership import doubt_about, is_own, read_regular
from ftbridge.config.tables import (
    BETWEEN,
    COMMANDS,
    FILE_NAME,
    LARGEST,
    Config,
    Hook,
    merge,
    read_config,
    read_targets,
    read_toml,
    unreadable,
    with_targets_below,
)
from ftbridge.config.trust import digest, find_trusted, home_id, source_of, trusted_files
from ftbridge.errors import ConfigError


class KnownHooks(NamedTuple):
    """The hooks of a home, by NAME@SOURCE as deliveries name them.

    `callable` are those that may be called, and `held` those of files that have changed since they were trusted.
    `names` has the names of the hooks of each source, and `sources` are those of new jobs. `folders` are where commands
    are run, by the same names as `callable`; one that a process was given in Python runs where that process does.
    """

    callable: Mapping[str, Hook]
    held: Mapping[str, Path]
    names: Mapping[str, tuple[str, ...]]
    sources: tuple[str, ...]
    folders: Mapping[str, Path] = {}


class Loaded(NamedTuple):
    """What applies, the hooks, and, for each name in `[targets]` that may be another user's doing, whose it is."""

    config: Config
    hooks: KnownHooks
    doubts: Mapping[str, str]


def load_config(home: Path, warn: Callable[[str], None], folder: Path | None = None) -> Loaded:
    """What applies in `folder` (the working folder) for the user of `home`.

    Raises `ConfigError` for a mistake in a file of the user's own; one in another's is a warning.
    """
    of_home, of_project = Config(), Config()
    projects: list[Path] = []
    doubtful: list[Config] = []
    doubts: dict[Path | None, str] = {}
    if (home / FILE_NAME).exists():
        found, doubt = _read(home, home / FILE_NAME, warn, has_hooks=True)
        if doubt:
            doubts[home / FILE_NAME] = doubt
            doubtful.append(found)
        else:
            of_home = found
    for file in project_files(home, folder):
        projects.append(file)
        found, doubt = _read(home, file, warn, has_hooks=False)
        if not doubt:
            of_project = found
            break
        doubts[file] = doubt
        doubtful.append(found)
    for below in doubtful:  # the nearest first
        of_home = with_targets_below(of_home, below)
    config = merge(of_home, of_project)
    files = {name: config.origin("targets", name) for name in config.targets}
    theirs = {name: f"{file}, which {doubts[file]}" for name, file in files.items() if file in doubts}
    return Loaded(config, _known_hooks(home, of_home.hooks, projects), theirs)


def hooks_of_process(home: Path, config: Config) -> KnownHooks:
    """The hooks of a config that was given in Python: this process alone can call them, for the jobs that it adds."""
    source = home_id(home)
    known = {f"{name}{BETWEEN}{source}/python": hook for name, hook in config.hooks.items()}
    return KnownHooks(callable=known, held={}, names={}, sources=(source, *known))


def project_files(home: Path, folder: Path | None = None) -> Iterator[Path]:
    """The ftbridge.toml in `folder` and those above it, the nearest first, up to the home's."""
    start = (folder or Path.cwd()).absolute()
    for file in (parent / FILE_NAME for parent in (start, *start.parents)):
        try:
            if file.is_dir() or not file.exists():
                continue
            if (home / FILE_NAME).exists() and file.samefile(home / FILE_NAME):
                return
        except OSError:  # a folder that may not be looked into
            continue
        yield file


def _read(home: Path, file: Path, warn: Callable[[str], None], *, has_hooks: bool) -> tuple[Config, str | None]:
    """As much of the file as applies, and why it is doubtful; `has_hooks` says that its hooks need no trust."""
    try:
        content, opened = read_regular(file, LARGEST)
        doubt = doubt_about(file, opened)
    except OSError as problem:
        if is_own(file.lstat()) and not isinstance(problem, PermissionError):
            raise unreadable(file, problem) from problem
        warn(f"{file} is ignored, because it cannot be read: {problem.strerror or problem}")
        return Config(), "cannot be read"
    trusted = find_trusted(home, file)
    is_trusted = trusted is not None and trusted.sha256 == digest(content)
    way_out = f"`ftbridge trust {shlex.quote(str(file))}` shows what it asks for, and asks whether to trust it"
    if doubt and not is_trusted:
        return _read_doubtful(content, file, f"{file} {doubt}", way_out, warn), doubt
    config = read_config(content, file)
    if has_hooks or is_trusted:
        return config, None
    why = "has changed since it was trusted" if trusted else "is not trusted"
    if config.hooks:
        warn(f"the hooks in {file} are not called, because it {why}: {way_out}")
    if commanding := [name for name, table in config.runners.items() if COMMANDS & table.keys()]:
        names = ", ".join(commanding)
        warn(f"the runners {names} in {file} can run commands, and are left out, because it {why}: {way_out}")
        runners = {name: table for name, table in config.runners.items() if name not in commanding}
        config = config.model_copy(update={"runners": runners})
    return config, None


def _read_doubtful(content: bytes, file: Path, doubt: str, way_out: str, warn: Callable[[str], None]) -> Config:
    try:
        others = [f"[{table}]" for table in read_toml(content, file) if table != "targets"]
        config = read_targets(content, file)
    except ConfigError as problem:
        warn(f"{doubt}, and is ignored: {problem.message}")
        return Config()
    if others:
        warn(f"{doubt}: only its [targets] are used, not its {', '.join(others)}; {way_out}")
    return config


def _known_hooks(home: Path, of_home: Mapping[str, Hook], projects: Sequence[Path]) -> KnownHooks:
    own = home_id(home)
    called = {f"{name}{BETWEEN}{own}": hook for name, hook in of_home.items()}
    folders = {name: (home / FILE_NAME).resolve().parent for name in called}
    held: dict[str, Path] = {}
    names = {own: tuple(of_home)}
    for trusted in trusted_files(home):
        names[trusted.source] = tuple(trusted.hooks)
        if trusted.state == "changed":
            held |= {f"{name}{BETWEEN}{trusted.source}": trusted.file for name in trusted.hooks}
        else:
            hooks = {f"{name}{BETWEEN}{trusted.source}": hook for name, hook in trusted.hooks.items()}
            called |= hooks
            folders |= dict.fromkeys(hooks, trusted.file.parent if trusted.file.parent.is_dir() else home)
    return KnownHooks(called, held, names, (own, *(source_of(home, file) for file in projects)), folders)
