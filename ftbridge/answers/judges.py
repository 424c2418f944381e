"""Asking judges: a verdict is stored like an answer, so that it is not paid for twice."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from ftbridge.context import Context
from ftbridge.errors import TargetError, UsageError
from ftbridge.graders import Complete
from ftbridge.ledger import Asked, store_answer, stored_answers
from ftbridge.provider.capabilities import unsupported
from ftbridge.target import Target

T = TypeVar("T")

_AT_ONCE = 8
_VARIANT = "completion"
"""In the ledger it tells whole completions from the answers to questions, whose variants are hashes."""


def ask_judges(context: Context, models: Iterable[str], judge: str | None, *, fresh: bool = False) -> Complete:
    """What asks the `models` that a grader names, each a target, or the target `judge` in place of all.

    Stored verdicts are looked up, unless `fresh`. Raises `UsageError` for what is no target, and `Unsupported` for one
    that answers no questions.
    """
    targets = {model: _target(context, judge or model) for model in models}
    one_at_a_time: defaultdict[str, Lock] = defaultdict(Lock)  # of equal requests; making a missing one is atomic

    def complete(model: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        target = targets[model]
        provider = context.provider(target)
        asked = Asked(provider.account, target.model, _VARIANT)
        key = hashlib.sha256(json.dumps(body, sort_keys=True).encode(errors="surrogatepass")).hexdigest()
        with one_at_a_time[key]:
            stored = {} if fresh else stored_answers(context.ledger, asked, [key])
            if key in stored:
                return json.loads(stored[key])  # type: ignore[no-any-return]  # it was stored below
            answer = provider.complete(target.model, body)
            store_answer(context.ledger, asked, key, json.dumps(answer))
            return answer

    return complete


def each_at_once(judge: Callable[..., T], *columns: Sequence[Any]) -> list[T]:
    """What `judge` makes of each row of the columns, in order, several at a time.

    The first is judged alone, because an SDK is to be imported by one thread.
    """
    first, others = [column[:1] for column in columns], [column[1:] for column in columns]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return [*map(judge, *first), *threads.map(judge, *others)]


def _target(context: Context, text: str) -> Target:
    try:
        target = context.target(text)
    except TargetError as problem:
        hint = "Say which model judges, as in --judge openai:gpt-4.1."
        raise UsageError(f"who judges is no target: {problem.message}", hint=hint) from None
    provider = context.provider(target)
    if "chat" not in provider.capabilities.verbs:
        raise unsupported("chat", provider.capabilities, provider.name)
    return target
