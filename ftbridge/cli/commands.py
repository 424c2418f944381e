"""The commands, in the groups that `--help` shows, and the app that parses them.

Only the file with the typed command is loaded: loading all of them takes longer than most commands do.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from ftbridge.cli.command import Command, Group
from ftbridge.cli.global_options import LogFile, Verbose
from ftbridge.cli.output import print_line

_GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "Data": {"data": ("check", "prepare", "convert"), "distill": ("distill",)},
    "Jobs": {
        "submit": ("submit", "run"),
        "sweep": ("sweep",),
        "listing": ("jobs",),
        "show": ("show",),
        "watch": ("watch",),
        "jobs": ("events", "cancel", "pause", "resume"),
        "recover": ("recover",),
        "import_jobs": ("import",),
        "removal": ("delete", "prune"),
    },
    "Results": {
        "results": ("fetch", "export", "checkpoints", "chat"),
        "evaluate": ("evaluate",),
        "improve": ("improve",),
        "verify": ("verify",),
        "report": ("report",),
    },
    "Costs and moving": {
        "catalogue": ("catalogue",),
        "compare": ("compare",),
        "costs": ("costs",),
        "lifecycle": ("lifecycle",),
        "migrate": ("migrate",),
        "trainer_configs": ("export-config", "import-config"),
    },
    "Serving": {"deploy": ("deploy", "undeploy")},
    "Set-up": {
        "demo": ("demo",),
        "help": ("help",),
        "doctor": ("doctor",),
        "providers": ("providers",),
        "mock": ("mock",),
        "trust": ("trust",),
    },
}
"""The names of the commands by group, and by the file that registers them."""

COMMANDS = tuple(name for files in _GROUPS.values() for names in files.values() for name in names)


def app_with(command: str | None = None) -> typer.Typer:
    """The app that has the file of `command`, or all of them where that is not the name of one."""
    app = typer.Typer(
        name="ftbridge",
        cls=Group,
        context_settings={"help_option_names": ["--help", "-h"]},
        help="One dataset, one job, any fine-tuning provider: changing vendor is changing one string.",
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for group, files in _GROUPS.items():
        for file, names in files.items():
            if command in names or command not in COMMANDS:
                import_module(f"ftbridge.cli.{file}").register(app, group)
    for registered in app.registered_commands:
        registered.cls = Command
    return app


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        print_line(version("ftbridge"))
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    verbose: Verbose = False,
    log_file: LogFile = None,
    insecure_base_url: Annotated[
        bool, typer.Option("--insecure-base-url", help="Send API keys even to a base URL that is not https.")
    ] = False,
) -> None:
    """One dataset, one job, any fine-tuning provider: changing vendor is changing one string."""
