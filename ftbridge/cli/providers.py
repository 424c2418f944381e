"""`providers`: the installed providers and what each can do."""

from __future__ import annotations

import typer

from ftbridge.cli.output import AsJson, print_json, print_line, print_message, print_note
from ftbridge.cli.submit import option_name
from ftbridge.errors import FtbridgeError
from ftbridge.plugins import load_provider, provider_names
from ftbridge.target import Target


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(providers)


def providers(as_json: AsJson = False) -> None:
    """List the installed providers with their methods, commands and hyperparameters."""
    from ftbridge.home import find_home

    able_of = {}
    for name in provider_names():
        try:
            able_of[name] = load_provider(Target(name, ""), find_home()).capabilities
        except FtbridgeError as problem:
            print_message(f"note: {problem.message}", style="yellow")
    if as_json:
        print_json({"providers": [{"name": name, **able.model_dump(mode="json")} for name, able in able_of.items()]})
        return
    for name, able in able_of.items():
        taken = [key for key, handling in able.hyperparameters.items() if handling.how != "refused"]
        print_line(name, style="bold")
        print_note(f"methods: {', '.join(sorted(able.methods))}")
        print_note(f"commands: {', '.join(able.commands)}")
        print_note(f"hyperparameters: {' '.join(map(option_name, taken))}")
    print_line("\nEvery provider has submit, run, show, watch, events and fetch.")
