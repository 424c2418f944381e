"""Whether a provider can answer at all, and with tool calls, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable

from ftbridge.errors import Unsupported
from ftbridge.provider import Provider
from ftbridge.provider.capabilities import unsupported


def check_answers(provider: Provider, with_calls: Iterable[int]) -> None:
    """Raises `Unsupported` for a provider that answers no questions.

    So it does where the rows on the lines `with_calls` may be answered with tool calls, and it tells none from text.
    """
    if "chat" not in provider.capabilities.verbs:
        raise unsupported("chat", provider.capabilities, provider.name)
    line = next(iter(with_calls), None)
    if line is not None and not provider.capabilities.gives_tool_calls:
        raise Unsupported(
            f"{provider.name} gives an answer as text alone, and line {line} is about tool calls",
            provider=provider.name,
            hint="Leave such rows out, or ask a model whose tool calls are told.",
        )
