"""What has to stand in the topics, and what is wrong with their text."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typer

from ftbridge.cli.commands import app_with
from ftbridge.config.tables import Config, Hook, OwnCatalogue
from ftbridge.docs import TOPICS, explanations
from ftbridge.home import find_home
from ftbridge.model import Hyperparameters, Status
from ftbridge.plugins import load_provider, provider_names
from ftbridge.target import Target

ROOT = Path(__file__).parents[2]
README_LINES, README_WORDS, TOPIC_LINES, SENTENCE_WORDS = 180, 1300, 150, 45
_VARIABLE = re.compile(r"(?:FTBRIDGE|OPENAI|AZURE|NEBIUS|TOGETHER|MISTRAL|HF)_[A-Z_]+")
_NOT_FOR_PEOPLE = {"FTBRIDGE_EVERY_CASE", "FTBRIDGE_POWER_CUTS", "FTBRIDGE_FUZZ"}

ODD = {
    "sound example": "valid example",
    "least fee": "minimum charge",
    "least charge": "minimum charge",
    "workplace": "context",
    "doorbell": "webhook listener",
    "cards": "GPUs",
    "learnt": "learned",
    "shall": "should, or the present tense",
    "whilst": "while",
    "thereof": "of it",
    "therein": "in it",
    "whereby": "by which",
    "hitherto": "so far",
    "albeit": "although",
    "nought": "nothing",
    "ought": "should",
    "in vain": "without result",
    "the said": "that",
    "utilize": "use",
    "leverage": "use",
    "seamless": "",
    "simply": "",
    "easily": "",
    "--watt-price": "--electricity-price",
    "--hourly": "--machine-cost-per-hour",
    "--near": "--near-duplicates",
    "--key": "--idempotency-key",
    "--vocab": "--tokenizer",
}
"""Words that are odd, old or empty, and what to write instead."""


def pages() -> dict[str, str]:
    """The README and the topics, by name."""
    topics = {name: (ROOT / "ftbridge" / "docs" / f"{name}.md").read_text("utf-8") for name in TOPICS}
    return {"README": (ROOT / "README.md").read_text("utf-8"), **topics}


@cache
def commands() -> Mapping[str, Any]:
    """The commands of the app by name."""
    found: Mapping[str, Any] = typer.main.get_command(app_with()).commands  # type: ignore[attr-defined]  # it is a group
    return found


@cache
def environment_variables() -> set[str]:
    """The variables that the sources name, as strings of their own."""
    found: set[str] = set()
    for room in ("ftbridge", "providers", "local_backend"):
        for file in (ROOT / room).rglob("*.py"):
            source = file.read_text("utf-8")
            if not _VARIABLE.search(source):
                continue
            strings = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
            found |= {text for text in strings if isinstance(text, str) and _VARIABLE.fullmatch(text)}
    return found - _NOT_FOR_PEOPLE


@cache
def expected() -> tuple[re.Pattern[str], ...]:
    """Everything that a person may type or read, as the expression by which a topic has it."""
    return tuple(map(re.compile, dict.fromkeys(_expected())))


def _expected() -> Iterator[str]:
    for name, command in commands().items():
        yield f"`{name}`|ftbridge {name}"
        for one in command.params:
            if one.param_type_name == "option":
                yield from (f"`{option}[` ]|{option}" for option in [*one.opts, *one.secondary_opts])
    yield from (f"`--{name.replace('_', '-')}`" for name in Hyperparameters.model_fields)
    yield from (f"`{code}`" for code in explanations())
    tables = [name for name in Config.model_fields if name not in ("file", "origins")]
    yield from (rf"`\[{table}\]`" for table in tables)
    yield from (f"`{key}`" for kind in (Hook, OwnCatalogue) for key in kind.model_fields)
    for name in provider_names():
        kind = type(load_provider(Target(name, ""), find_home()))
        yield from (f"`{key}`" for key in kind.settings_class.model_fields if kind.settings_class.variable(key))
        yield from (f"`{variable}`" for variable in kind.settings_class.secrets.values())
    yield from (f"`{variable}`|{variable}" for variable in environment_variables())
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    yield from (f"`{extra}`" for extra in extras)
    yield from (str(status) for status in Status)


def missing(text: str) -> list[str]:
    """What does not stand in the text of all topics together."""
    return [one.pattern for one in expected() if not one.search(text)]


def unknown(text: str) -> list[str]:
    """Commands, options and topics that a text names and that do not exist."""
    known = commands()
    options = {
        name for command in known.values() for one in command.params for name in [*one.opts, *one.secondary_opts]
    }
    options |= {"--help", "--version", "--debug", "--verbose", "--log-file", "--insecure-base-url"}
    options |= {"--install-completion", "--show-completion"}
    wrong = [f"ftbridge {name}" for name in re.findall(r"(?:`|\$ )ftbridge ([a-z]+)", text) if name not in known]
    words = {*TOPICS, *known, *explanations(), "TOPIC", "CODE"}
    wrong += [f"help {name}" for name in re.findall(r"ftbridge help ([A-Za-z_]+)", text) if name not in words]
    written = re.findall(r"(?:^\$ .*|`[^`\n]*`)", text, re.MULTILINE)
    for line in written:
        if not re.match(r"\$ (?!ftbridge|[A-Z_]+=\S+ ftbridge)|`az |`python ", line):
            wrong += [option for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line) if option not in options]
    return wrong


def broken_links(text: str, folder: Path) -> list[str]:
    """Relative links that lead nowhere. Topics are read outside the repository too, so they have none."""
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("https://")]
    return [link for link in links if not (folder / link.partition("#")[0]).exists()]


def prose_of(text: str) -> str:
    """The text without code, tables and generated parts."""
    text = re.sub(r"<!-- generated.*?<!-- end -->|<!--.*?-->|```.*?```", "", text, flags=re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not line.startswith("|"))


def odd_words(text: str) -> list[str]:
    """The odd words of a text."""
    prose = prose_of(text).lower()
    return [word for word in ODD if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", prose)]


def long_sentences(text: str) -> list[str]:
    """The sentences that have to be read twice."""
    paragraphs = re.split(r"\n\s*\n|\n(?=- |\d\. |#)", prose_of(text))
    sentences = [one for text in paragraphs for one in re.split(r"(?<=[.:?!;])\s+", text.replace("\n", " "))]
    return [sentence for sentence in sentences if len(sentence.split()) > SENTENCE_WORDS]


def too_long(name: str, text: str) -> list[str]:
    """Where a page is longer than it may be."""
    lines, words = len(text.splitlines()), len(text.split())
    most = README_LINES if name == "README" else TOPIC_LINES
    found = [f"{name} has {lines} lines, and {most} at most"] if lines > most else []
    return [*found, *([f"README has {words} words"] if name == "README" and words > README_WORDS else [])]
