"""What the tests of `migrate` share: the rows of an organisation's jobs, and the parts of a plan by their names."""

from __future__ import annotations

from typing import Any, NamedTuple

from command_line import Ran

QWEN = "mock+together:Qwen/Qwen3-8B"
WORDS = "one two three four five six seven eight nine ten eleven twelve".split()
CHATS = [
    {"messages": [{"role": "user", "content": f"Say {word}."}, {"role": "assistant", "content": word}]}
    for word in WORDS
]
PAIRS = [
    {
        "input": {"messages": [{"role": "user", "content": f"Say {word}."}]},
        "preferred_output": [{"role": "assistant", "content": word}],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    }
    for word in WORDS
]


class Organisation(NamedTuple):
    """The vendor's own account of each job, by what it is."""

    jobs: dict[str, dict[str, Any]]


def fields(ran: Ran) -> dict[str, dict[str, Any]]:
    return {field["field"]: field for field in ran.json["fields"]}


def terms_of(ran: Ran) -> dict[str, dict[str, Any]]:
    return {term["field"]: term for term in ran.json["terms"]}
