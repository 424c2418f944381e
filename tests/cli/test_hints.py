"""Every command and option that a message names exists: whoever follows a hint is not refused for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from command_line import Cli
from ftbridge.cli.commands import app_with
from ftbridge.plugins import load_provider, provider_names
from ftbridge.target import Target

ROOT = Path(__file__).parents[2]
ROOMS = ("ftbridge", "providers/ftbridge_providers", "local_backend/ftbridge_local")
COMMANDS = {
    name: {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for name, command in typer.main.get_command(app_with()).commands.items()  # type: ignore[attr-defined]  # it is a group
}
GLOBAL = {
    "--debug",
    "--verbose",
    "-v",
    "--log-file",
    "--insecure-base-url",
    "--install-completion",
    "--version",
    "--help",
}
OPTIONS = GLOBAL.union(*COMMANDS.values())
OF_OTHERS = {"--query", "--logdir", "--outfile", "--jinja"}  # of az, tensorboard and llama.cpp
OF_PROGRAMS = (  # where servers of models, Slurm, pip and other trainers are started, or it is told how
    "local_backend/ftbridge_local/model_card.py",
    "local_backend/ftbridge_local/servers/",
    "local_backend/ftbridge_local/runners/slurm.py",
    "local_backend/ftbridge_local/runners/tables.py",
    "local_backend/ftbridge_local/hugging_face/mounted.py",
    "ftbridge/trainer_configs/",
)


def sentences() -> Iterator[tuple[str, str]]:
    """Each text in the source with the file that it is in; what is formatted into one is {}."""
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
                    yield str(file.relative_to(ROOT)), "".join(map(str, parts))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield str(file.relative_to(ROOT)), node.value


def test_every_option_that_is_named_exists() -> None:
    named = {(option, file) for file, text in sentences() for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)}
    named = {(option, file) for option, file in named if not file.startswith(OF_PROGRAMS)}
    assert len(named) > 50
    assert [one for one in sorted(named) if one[0] not in OPTIONS | OF_OTHERS] == []


def test_every_command_that_is_named_exists_with_its_options() -> None:
    found = 0
    for file, text in sentences():
        for command, rest in re.findall(r"`ftbridge ([a-z]+)([^`\n]*)`", text):
            found += 1
            assert command in {*COMMANDS, "help"}, f"{file}: {text}"
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest):
                assert option in COMMANDS.get(command, set()) | GLOBAL, f"{file}: {text}"
    assert found > 20


@pytest.mark.parametrize("provider", provider_names())
def test_the_reason_why_a_hyperparameter_is_refused_is_about_it(provider: str, tmp_path: Path) -> None:
    known = load_provider(Target(provider, ""), tmp_path).capabilities.hyperparameters
    for name in ("eval_interval", "early_stopping"):
        note = known[name].note if name in known else ""
        assert "reinforcement" not in note
        assert "supervised" not in note


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "submit rows.jsonl --to mock+openai:m --max-cost -1",
            "--max-cost = '-1' cannot be used: it must be at",
        ),
        (
            "submit rows.jsonl --to mock+openai:m --epochs one",
            "--epochs = 'one' cannot be used: it must be a whole",
        ),
        ("submit rows.jsonl --to mock+together:m --eval-interval 5", "together has no eval_interval"),
        ("submit rows.jsonl --to mock+openai:m --epoch 3", "Did you mean '--epochs'?"),
        ("jobs --jsn", "Did you mean '--json'?"),
        ("chekc rows.jsonl", "Did you mean 'check'?"),
        ("catalogue opnai", "Did you mean 'openai'?"),
        ("costs --by vendr", "Did you mean 'vendor'?"),
        ("prepare rows.jsonl --out p --dedupe exat", "Did you mean 'exact'?"),
        ("check rows.jsonl --format chta", "Did you mean 'chat'?"),
        ("check rows.jsonl --to lcal:tiny", "Did you mean 'local'?"),
    ],
)
@pytest.mark.usefixtures("rows")
def test_a_typing_mistake_is_answered_with_what_was_meant(here: Cli, words: str, sentence: str) -> None:
    ran = here(*words.split())
    assert ran.code == 2
    assert sentence in ran.err


def test_the_usage_of_a_command_names_its_arguments_as_the_readme_does(here: Cli) -> None:
    usage = here("check", "--help").out.splitlines()[1]
    assert usage.strip() == "Usage: ftbridge check [OPTIONS] DATA"
    for command in COMMANDS:
        assert "{" not in here(command, "--help").out.split("Usage:")[1].splitlines()[0]
