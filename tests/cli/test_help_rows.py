"""A row of `--help` has an option's whole name, and says what its value is, where it takes one."""

from __future__ import annotations

import re

import pytest
import typer

from command_line import Cli
from ftbridge.cli.commands import app_with

COMMANDS = typer.main.get_command(app_with()).commands  # type: ignore[attr-defined]  # it is a group


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_is_named_in_full_at_80_columns_and_only_values_have_a_type(here: Cli, name: str) -> None:
    text = here(name, "--help", columns=80).out
    for parameter in COMMANDS[name].params:
        for option in parameter.opts if parameter.param_type_name == "option" else ():
            assert re.search(rf"[ ,]{option}[ ,]", text), option
        for option in parameter.secondary_opts:
            assert option in parameter.help
    assert not re.search(r"<bool>|list\[| range", text)


def test_a_switch_stands_without_a_type_and_a_value_with_its_limits(here: Cli) -> None:
    text = here("submit", "--help", columns=200).out
    assert re.search(r"--again +Create a new job", text)
    assert re.search(r"--train-reasoning +Train the reasoning .*--no-train-reasoning", text)
    assert re.search(r"--max-cost +<float> \[x>=0\] +Refuse", text)
    assert re.search(r"--to +<str> +Also apply", here("check", "--help", columns=200).out)


def test_help_leaves_the_negative_form_usable(here: Cli) -> None:
    here("submit", "--help")
    refused = here("submit", "missing.jsonl", "--to", "local:tiny", "--no-train-reasoning")
    assert "missing.jsonl" in refused.err
