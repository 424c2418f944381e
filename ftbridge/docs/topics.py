"""The topics in the order in which to read them, and which of them documents a command."""

from __future__ import annotations

import re
from importlib.resources import files

TOPICS = [
    *(
        "start",
        "dataset",
        "columns",
        "distill",
        "costs",
        "jobs",
        "results",
        "hyperparameters",
        "sweeps",
        "evaluate",
        "metrics",
        "report",
        "improve",
        "verify",
        "moving",
        "ci",
    ),
    *("local", "gpus", "hosted", "mocks", "teams", "security", "provider", "plugins", "errors", "glossary"),
]
"""Each is a file `NAME.md` beside this one."""

_COMMANDS = {
    "start": "demo help doctor",
    "dataset": "check prepare convert",
    "distill": "distill",
    "costs": "compare catalogue costs",
    "jobs": "submit run jobs show cancel pause resume recover",
    "results": "watch events fetch checkpoints chat delete prune",
    "teams": "trust",
    "sweeps": "sweep",
    "evaluate": "evaluate",
    "report": "report",
    "improve": "improve",
    "verify": "verify",
    "moving": "lifecycle migrate import",
    "local": "export",
    "hosted": "deploy undeploy",
    "mocks": "mock",
    "plugins": "providers",
}
TOPIC_OF_COMMAND = {command: topic for topic, commands in _COMMANDS.items() for command in commands.split()}
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)  # marks for the script and the tests; a reader has no use for them


def topic(name: str) -> str:
    """The Markdown of a topic. Raises `KeyError` for a name that is none."""
    if name not in TOPICS:
        raise KeyError(name)
    return _COMMENT.sub("", (files("ftbridge.docs") / f"{name}.md").read_text("utf-8"))


def summary(name: str) -> str:
    """The sentence under the title of a topic."""
    _title, _blank, first, *_others = topic(name).splitlines()
    return first
