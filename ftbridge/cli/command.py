"""How a command parses its words and how its `--help` looks: typer's own, without its noise."""

from __future__ import annotations

import re
from copy import copy
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from ftbridge.cli.completion import set_completions
from ftbridge.cli.global_options import with_values

_BRACES = str.maketrans("", "", "{}")
_NOISE = re.compile(r"list\[(.*)\]|(.*) range")  # in the type of a value: how often it may be, and that it has limits


class Command(TyperCommand):
    """Its usage names the arguments as the documentation does: DATA, where typer writes {data}."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        set_completions(self.params)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words after the command's name in its usage."""
        return [piece.translate(_BRACES).upper() for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments of the command, of which some options may stand without a value."""
        return super().parse_args(ctx, with_values(args))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, which ends with the topic that documents the command."""
        from ftbridge.docs import TOPIC_OF_COMMAND

        shown = _as_shown(self, ctx)
        if topic := TOPIC_OF_COMMAND.get(self.name or ""):
            shown.epilog = f"More: ftbridge help {topic}"
        super(Command, shown).format_help(ctx, formatter)


class Group(TyperGroup):
    """All commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        super(Group, _as_shown(self, ctx)).format_help(ctx, formatter)


def _as_shown(command: Any, ctx: Any) -> Any:
    """A copy to print: only the values of options have a type, and a negative form is in its option's help alone."""
    shown = copy(command)
    shown.params = [_row(param, ctx) for param in command.get_params(ctx)]
    shown.add_help_option = False  # it is among these
    return shown


def _row(param: Any, ctx: Any) -> Any:
    has_type = isinstance(param, TyperOption) and not param.is_flag
    kind = _NOISE.sub(r"\1\2", param.display_type_rich(ctx)) if has_type else ""
    shown = copy(param)
    shown.display_type_rich = lambda ctx: kind
    shown.secondary_opts = []  # a column of its own would leave no room for the names of all others
    return shown
