"""`ftbridge help`: topics, codes, commands; rendered on a terminal, plain text where it goes elsewhere."""

from __future__ import annotations

import re

import pytest

from command_line import Cli
from ftbridge.cli.commands import app_with
from ftbridge.docs import TOPIC_OF_COMMAND, TOPICS, explanations
from terminal import Terminal

COMMANDS = [command.name or getattr(command.callback, "__name__", "") for command in app_with().registered_commands]


def test_the_topics_are_listed_with_a_sentence_each(here: Cli) -> None:
    lines = here("help", columns=120).out.splitlines()
    assert re.findall(r"^ ([a-z]+)  ", "\n".join(lines[3:]), re.MULTILINE) == list(TOPICS)
    assert "Check a file, split it" in "\n".join(lines)
    assert lines[-1] == "ftbridge help TOPIC shows one, ftbridge help CODE explains a finding or error."


def test_a_topic_is_its_markdown_where_the_output_goes_elsewhere(here: Cli) -> None:
    text = here("help", "jobs").out
    assert text.startswith("# Jobs\n\nSubmit a job, stop it, resume it.")
    assert "<!--" not in text
    assert here("help", "submit").out == text


def test_a_finding_is_explained_with_an_example_and_the_mended_row(here: Cli) -> None:
    text = here("help", "unknown_role").out
    assert '{"role": "sytem"' in text
    assert "$ ftbridge check rows.jsonl" in text
    assert '{"role": "system"' in text.partition("## What to do")[2]


def test_an_error_is_explained_with_its_exit_code(here: Cli) -> None:
    text = here("help", "OverBudget").out
    assert "(an error; exit code 2)" in text
    assert "--max-cost 0.0001" in text


def test_anything_else_is_an_error_that_suggests_what_was_meant(here: Cli) -> None:
    ran = here("help", "unknown_rol")
    assert ran.code == 2
    assert "Did you mean 'unknown_role'?" in ran.err


def test_all_is_one_document_with_every_topic_and_code(here: Cli) -> None:
    text = here("help", "--all").out
    assert [f"# {title}" for title in ("Start", "Jobs", "Glossary", "All codes") if f"# {title}\n" not in text] == []
    assert [code for code in explanations() if f"\n- `{code}`: " not in text] == []


def test_programs_get_json(here: Cli) -> None:
    assert [one["topic"] for one in here("help", "--json").json["topics"]] == list(TOPICS)
    assert here("help", "jobs", "--json").json["markdown"].startswith("# Jobs")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_names_its_topic(here: Cli, command: str) -> None:
    assert f"More: ftbridge help {TOPIC_OF_COMMAND[command]}" in here(command, "--help").out


def test_a_terminal_gets_it_rendered_and_through_its_pager() -> None:
    with Terminal("help", "security", columns=90, lines=60, environment={"PAGER": "sed s/Keys/KEYS/"}) as terminal:
        assert terminal.ended() == 0
        text = "\n".join(terminal.everything)
        assert "KEYS" in text
        assert "## " not in text
        assert "• API keys come from the environment" in text
        assert b"\x1b[1m" in terminal.written
