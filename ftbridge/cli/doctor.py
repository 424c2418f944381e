"""`doctor`: is everything here that ftbridge needs?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.cli.output import AsJson, Exit, print_json, print_line, print_note
from ftbridge.errors import UsageError
from ftbridge.wording import counted

if TYPE_CHECKING:
    from ftbridge.doctor import Check

_MARKS = {"ok": "✓", "note": "·", "problem": "✗"}
_SHARED = {
    "extra": ("extras", "extras not installed (pip install 'ftbridge[NAME]')"),
    "key": ("keys set", "keys not set"),
}


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(doctor)


def doctor(
    target: Annotated[
        str | None, typer.Argument(help="Check a host where jobs run, such as ssh:HOST, and nothing else.")
    ] = None,
    endpoints: Annotated[
        bool, typer.Option("--endpoints", help="Also ask the vendors whose keys are set, and the ledger's server.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check Python, extras, keys, the disk, the ledger and the devices, and say what to do about each problem.

    The exit code is 1 if there is a problem. Keys are never shown, and without --endpoints nobody is asked.
    """
    from ftbridge.doctor import examine, examine_host

    if target and endpoints:
        raise UsageError("--endpoints asks vendors, and a host is none", hint="Give one of the two.")
    checks = []
    found = examine_host(target) if target else examine(endpoints=endpoints)
    for about, some in groupby(found, key=lambda check: check.about):
        checks += (group := list(some))
        if not as_json:
            _print(about, group)
    problems = sum(check.state == "problem" for check in checks)
    if as_json:
        print_json({"ok": not problems, "checks": [check.model_dump(mode="json") for check in checks]})
    else:
        print_line(f"\n{counted(problems, 'problem')}." if problems else "\nNo problem was found.")
    raise Exit(1 if problems else 0)


def _print(about: str, checks: Sequence[Check]) -> None:
    """One line for each; extras and keys that are no problem share two."""
    if about in _SHARED:
        for state, title in zip(("ok", "note"), _SHARED[about], strict=True):
            if names := [check.name for check in checks if check.state == state]:
                _print_mark(state, f"{title}: {', '.join(names)}")
        checks = [check for check in checks if check.state == "problem"]
    for check in checks:
        _print_mark(check.state, f"{check.about}: {check.what}")
        if check.fix:
            print_note(f"→ {check.fix}", indent="    ")


def _print_mark(state: str, sentence: str) -> None:
    print_note(f"{_MARKS[state]} {sentence}", indent="")
