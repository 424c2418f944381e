"""Dialogues in one text, as in Anthropic's hh-rlhf and the prompts of the first Claude models.

"\\n\\nHuman: Where is it?\\n\\nAssistant: There."
"""

from __future__ import annotations

import re
from typing import Any

from ftbridge.dataset.formats.base import JsonObject, message

_SPEAKER = re.compile(r"\n\n(Human|Assistant):(?: |\Z|(?=\n))")
_ROLES = {"Human": "user", "Assistant": "assistant"}


def is_dialogue(value: Any) -> bool:
    """Whether a value is a text that begins with the words of a speaker."""
    return isinstance(value, str) and _SPEAKER.match(value) is not None


def dialogue(text: str) -> list[JsonObject]:
    """The messages of a dialogue, of which the last may be empty."""
    _, *turns = _SPEAKER.split(text)
    return [message(_ROLES[speaker], said) for speaker, said in zip(turns[0::2], turns[1::2], strict=True)]
