"""A conversation with a tuned model at a terminal: each line is a prompt, and the answer is shown as it is written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from ftbridge.cli.output import clean, line_end, print_error, print_message
from ftbridge.errors import FtbridgeError

if TYPE_CHECKING:
    from typing import Any

    from ftbridge.bridge import Bridge
    from ftbridge.model import Job

NEW = "/new"
_PROMPT = "> "


def converse(bridge: Bridge, job: Job, *, system: str | None, options: Any) -> None:
    """Answer each line until Ctrl-D. The model sees what was said before; `/new` forgets it.

    Ctrl-C ends an answer, and not the conversation; what went wrong with a prompt is said, and it is forgotten.
    """
    print_message(f"A line is a prompt. {NEW} begins a new conversation, Ctrl-C ends an answer, Ctrl-D ends.")
    said: list[dict[str, str]] = []
    for prompt in _prompts():
        if prompt == NEW:
            said.clear()
            continue
        asked = {"role": "user", "content": prompt}
        try:
            answer = _answer(bridge.stream(job, [*said, asked], system=system, **options))
        except FtbridgeError as problem:
            print_error(problem, as_json=False)
            continue
        said += [asked, {"role": "assistant", "content": answer}] if answer else []


def _prompts() -> Iterator[str]:
    """What is typed, without blank lines; earlier lines come back with the arrow keys where Python has readline."""
    with suppress(ImportError):
        import readline  # noqa: F401 - `input` then edits the line with it
    while True:
        try:
            prompt = input(_PROMPT).strip()
        except EOFError:
            sys.stdout.write("\n")
            return
        except KeyboardInterrupt:
            sys.stdout.write(f"{line_end()}\n")
            continue
        if prompt:
            yield prompt


def _answer(pieces: Iterator[str]) -> str:
    """Show the pieces as they come, until the end or Ctrl-C, and return them together."""
    shown: list[str] = []
    try:
        for piece in pieces:
            shown.append(piece)
            sys.stdout.write(clean(piece))
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stdout.write(f"{line_end()}[ended]")
    sys.stdout.write("\n")
    return "".join(shown)
