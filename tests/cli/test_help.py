"""`--help`: commands in groups, in lines of 80 columns, and options under their new names."""

from __future__ import annotations

import re

import pytest
import typer

from command_line import Cli
from ftbridge.cli.commands import COMMANDS, app_with

GROUPS = {
    "Data": "check prepare convert distill",
    "Jobs": "submit run sweep jobs show watch events cancel pause resume recover import delete prune",
    "Results": "fetch export checkpoints chat evaluate improve verify report",
    "Costs and moving": "catalogue compare costs lifecycle migrate export-config import-config",
    "Serving": "deploy undeploy",
    "Set-up": "demo help doctor providers mock trust",
}
OPTIONS = {
    "check": ["--near-duplicates", "--tokenizer"],
    "prepare": ["--validation-split"],
    "compare": ["--machine-cost-per-hour", "--electricity-price"],
    "submit": ["--idempotency-key"],
    "run": ["--idempotency-key"],
    "recover": ["--provider"],
}


def test_every_command_is_in_its_group(here: Cli) -> None:
    text = here("--help", columns=80).out
    panels = {}
    for panel in text.split("╭─ ")[1:]:
        title, _line, rest = panel.partition(" ──")
        panels[title] = re.findall(r"^│ ([\w-]+) ", rest, re.MULTILINE)
    assert {title: " ".join(panels[title]) for title in GROUPS} == GROUPS
    assert set(panels) == {"Options", *GROUPS}


def test_global_options_are_listed(here: Cli) -> None:
    text = here("--help").out
    assert "<bool>" not in text
    for option in ("--version", "--debug", "--verbose", "-v", "--log-file", "--insecure-base-url"):
        assert option in text


@pytest.mark.parametrize("command", " ".join(GROUPS.values()).split())
def test_help_fits_80_columns(here: Cli, command: str) -> None:
    ran = here(command, "--help", columns=80)
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    assert not re.search(r"<bool>|--.*<list", ran.out)
    for option in OPTIONS.get(command, ()):
        assert f" {option} " in ran.out


def test_a_sweep_lists_nothing_of_a_method_that_it_refuses(here: Cli) -> None:
    listed = here("sweep", "--help").out
    assert "--eval-interval" in listed
    assert not re.search("rft|distill", listed)
    assert here("sweep", "rows.jsonl", "--to", "local:tiny", "--reasoning-effort", "low").code == 2


def test_no_command_is_left_without_a_group() -> None:
    assert all(command.rich_help_panel in GROUPS for command in app_with().registered_commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_in_the_file_that_is_loaded_for_it(name: str) -> None:
    assert name in typer.main.get_command(app_with(name)).commands  # type: ignore[attr-defined]  # it is a group
