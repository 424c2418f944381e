"""A text that is given as a file, such as a prompt."""

from __future__ import annotations

from pathlib import Path

from ftbridge.errors import InputError


def read_text(file: Path, option: str, what: str) -> str:
    """The text in the file of an option, without white space around it; `what` is what people call it.

    Raises `InputError` for a file that is no text, or an empty one.
    """
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(
            f"{file} cannot be read: {problem}", hint=f"Give --{option} a file with the {what} as text, in UTF-8."
        ) from None
    if not text:
        raise InputError(f"{file} is empty", hint=f"Write the {what} into it, or leave out --{option}.")
    return text
