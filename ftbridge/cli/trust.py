"""`trust`: allow what a project's ftbridge.toml asks for, once one has seen it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.output import AsJson, Yes, check_that_one_can_ask, print_json, print_line, print_note
from ftbridge.errors import UsageError
from ftbridge.foreign.redaction import redact
from ftbridge.home import find_home
from ftbridge.wording import counted, escaped

if TYPE_CHECKING:
    from ftbridge.config import Config, Hook


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(trust)


def trust(
    file: Annotated[
        Path | None,
        typer.Argument(help="An ftbridge.toml, or its folder; default: the one here or the nearest above."),
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the files that are trusted.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Trust the file no longer, and drop what is due.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Trust a project's ftbridge.toml: its hooks are called for the jobs that are submitted below it.

    What the file asks for is shown before you are asked. A file that changes has to be trusted again.
    """
    if show_list and (remove or file):
        raise UsageError("--list lists all files, and takes no other word", hint="Give one of the two.")
    home = find_home()
    if show_list:
        _list(home, as_json=as_json)
    elif remove:
        _remove(home, _chosen(home, file), as_json=as_json)
    else:
        _trust(home, _chosen(home, file), yes=yes, as_json=as_json)


def _chosen(home: Path, file: Path | None) -> Path:
    from ftbridge.config import FILE_NAME
    from ftbridge.config.load import project_files

    if file is not None:
        return (file / FILE_NAME if file.is_dir() else file).absolute()
    found = next(project_files(home), None)
    if found is None:
        raise UsageError(f"there is no {FILE_NAME} in this folder or above it", hint="Name the file, or its folder.")
    return found


def _trust(home: Path, file: Path, *, yes: bool, as_json: bool) -> None:
    from ftbridge.config.ownership import read_regular
    from ftbridge.config.tables import LARGEST, read_config, unreadable
    from ftbridge.config.trust import trust
    from ftbridge.ledger import Ledger, register_hooks

    try:
        content, _known = read_regular(file, LARGEST)
    except OSError as problem:
        raise unreadable(file, problem) from None
    config = read_config(content, file)
    for line in [f"{file}:", *_asked_for(config)] if not as_json else ():
        print_line(escaped(line))  # a line end in a value would forge a line
    if not yes:
        check_that_one_can_ask(f"trusting {file}", "Add --yes once you have seen what it asks for.", as_json=as_json)
        typer.confirm("Trust it?", abort=True)
    trusted = trust(home, file, content, config.hooks)
    ledger = Ledger(home)
    register_hooks(ledger, {trusted.source: tuple(config.hooks)})
    ledger.close()
    if as_json:
        print_json({"file": str(file), "sha256": trusted.sha256, **_document(config)})
        return
    print_line(f"{file} is trusted until it changes.")
    if config.hooks:
        print_note("Its hooks are called for all changes of the jobs that are submitted below its folder.", indent="")


def _remove(home: Path, file: Path, *, as_json: bool) -> None:
    from ftbridge.config.trust import distrust, source_of
    from ftbridge.ledger import Ledger, forget_hooks

    was_trusted = distrust(home, file)
    ledger = Ledger(home)
    forget_hooks(ledger, source_of(home, file))
    ledger.close()
    if as_json:
        print_json({"file": str(file), "removed": was_trusted})
    else:
        print_line(f"{file} is not trusted any more." if was_trusted else f"{file} was not trusted.")


def _list(home: Path, *, as_json: bool) -> None:
    from ftbridge.config.trust import trusted_files

    found = trusted_files(home)
    if as_json:
        rows = [
            {"file": str(one.file), "sha256": one.sha256, "state": one.state, "hooks": [*one.hooks]} for one in found
        ]
        print_json({"trusted": rows})
        return
    if not found:
        print_line("No file is trusted.")
    for one in found:
        states = {"changed": ", which has changed and has to be trusted again", "gone": ", which is gone"}
        print_line(f"{one.file}{states.get(one.state, '')}")
        for name, hook in one.hooks.items():
            print_line(f"  hook {name}: {_describe(hook)}")


def _asked_for(config: Config) -> list[str]:
    lines = [f"hook {name}: {_describe(hook)}" for name, hook in config.hooks.items()]
    for name, table in _document(config)["providers"].items():
        lines += [f"provider {name}: {key} = {value}" for key, value in table.items()]
    for name, table in _document(config)["runners"].items():
        lines += [f"runner {name}: {key} = {_words(value)}" for key, value in table.items()]
    lines += [f"catalogue: {address}" for address in _document(config)["catalogues"]]
    lines += [f"target {name}: {target}" for name, target in config.targets.items()]
    lines += [f"budget {name}: {amount:g} USD a month" for name, amount in config.budgets.items()]
    lines += [f"limit {name}: {counted(jobs, 'job')} at once" for name, jobs in config.limits.items()]
    return lines or ["It asks for nothing."]


def _document(config: Config) -> dict[str, Any]:
    """What the file asks for, for programs; addresses are without their passwords."""
    return {
        "hooks": {name: _shown(hook.model_dump(exclude_defaults=True)) for name, hook in config.hooks.items()},
        "providers": {name: _shown(table) for name, table in config.providers.items()},
        "runners": {name: _shown(table) for name, table in config.runners.items()},
        "catalogues": [redact(address) for address in config.catalogue.files],
        "targets": dict(config.targets),
        "budgets": dict(config.budgets),
        "limits": dict(config.limits),
    }


def _describe(hook: Hook) -> str:
    fields = _shown(hook.model_dump(exclude_defaults=True))
    what = f"runs {shlex.join(fields.pop('command'))}" if hook.command else f"posts to {fields.pop('url')}"
    return ", ".join([what, *(f"{name} = {_words(value)}" for name, value in fields.items())])


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _shown(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: redact(value) if isinstance(value, str) else value for name, value in table.items()}
