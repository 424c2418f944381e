"""`help`: the documentation, by topic, and the explanation of a code."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ftbridge import docs
from ftbridge.cli.output import AsJson, console, print_json, print_line, table
from ftbridge.errors import UsageError
from ftbridge.wording import did_you_mean, printable

_WIDEST = 100  # characters of a line that is easy to read


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(help)


def help(  # noqa: A001 - the command's name
    topic: Annotated[
        str | None,
        typer.Argument(
            help="A topic, a command, or the code of a finding or an error; default: list the topics.",
            show_default=False,
        ),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Print all topics and codes as one document.")] = False,  # noqa: A002 - the option's name
    as_json: AsJson = False,
) -> None:
    """Explain a topic, a command, or the code of a finding or an error."""
    if all or topic:
        text = _everything() if all else _text(topic or "")
        if as_json:
            print_json({"topic": "all" if all else topic, "markdown": text})
        else:
            _show(text)
        return
    topics = {name: docs.summary(name) for name in docs.TOPICS}
    if as_json:
        print_json({"topics": [{"topic": name, "summary": summary} for name, summary in topics.items()]})
        return
    console().print(table(["topic", ""], list(map(list, topics.items())), fold=1))
    print_line("ftbridge help TOPIC shows one, ftbridge help CODE explains a finding or error.")


def _text(name: str) -> str:
    """The Markdown for a topic, a command or a code. Raises `UsageError` for anything else."""
    if name in docs.TOPICS:
        return docs.topic(name)
    codes = docs.explanations()
    if name in codes:
        return codes[name].markdown()
    if name in docs.TOPIC_OF_COMMAND:
        return docs.topic(docs.TOPIC_OF_COMMAND[name])
    known = [*docs.TOPICS, *docs.TOPIC_OF_COMMAND, *codes]
    hint = f"{did_you_mean(name, known)}`ftbridge help` lists the topics, `ftbridge help errors` the codes."
    raise UsageError(f"{printable(repr(name))} is no topic, no command and no code", hint=hint)


def _everything() -> str:
    codes = docs.explanations().items()
    lines = [f"- `{code}`: {explanation.what} {explanation.fix}" for code, explanation in codes]
    return "\n".join([*map(docs.topic, docs.TOPICS), "# All codes", "", *lines]) + "\n"


def _show(text: str) -> None:
    """Rendered and paged on a terminal; as it is where the output goes elsewhere."""
    if not console().is_terminal:
        print_line(text.rstrip())
        return
    from rich.markdown import Markdown

    os.environ.setdefault("LESS", "-R")  # so that it shows colours
    with console().pager(styles=True):
        console().print(Markdown(text, code_theme="ansi_dark"), width=min(console().width, _WIDEST))
