"""Files that give a code and are too large, or too odd, to be printed as an example."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

Made: TypeAlias = tuple[list[str], dict[str, Any]]
OPENAI, TOGETHER = "openai:gpt-4.1-mini-2025-04-14", "together:meta-llama/Llama-4-Scout-17B-16E-Instruct"
ANSWER = {"role": "assistant", "content": "Hello"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def chat(content: Any) -> str:
    return json.dumps({"messages": [{"role": "user", "content": content}, ANSWER]}) + "\n"


def made(rows: str | bytes, *to: str, name: str = "rows.jsonl", **options: Any) -> Callable[[Path], Made]:
    """Writes a file, and gives the targets and options with which to check it."""

    def write(folder: Path) -> Made:
        (folder / name).write_bytes(rows if isinstance(rows, bytes) else rows.encode())
        return list(to), {"data": folder / name, **options}

    return write


MADE: dict[str, Callable[[Path], Made]] = {
    "compressed": made(gzip.compress(gzip.compress(b'{"text": "a"}'))),
    "not_read": made(b"ARROW1\0\0"),
    "not_utf8": made('{"text": "a"}\n'.encode("utf-16")),
    "line_too_long": made('{"text": "' + "a" * (65 << 20) + '"}\n'),
    "read_in_vain": made('{"text": ""}\n' * 250_001),
    "too_deep": made('{"text": ' + "[" * 100_000 + "]" * 100_000 + "}\n"),
    "too_many_cells": made("," * 10_001 + "\n", name="rows.csv"),
    "too_many_problems": made(json.dumps({"messages": [{"role": "nobody"}] * 1_001}) + "\n"),
    "too_many_values": made('{"text": [' + "0," * 2_000_000 + "0]}\n"),
    "near_duplicates": made(
        "".join(json.dumps({"text": " ".join(f"word{n}" for n in range(50)) + end}) + "\n" for end in ("", " more")),
        near_duplicates=True,
    ),
    "one_answer": made("".join(chat(f"Question {number}") for number in range(200))),
    "image_too_large": made(
        chat([{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * (14 << 20)}}]), TOGETHER
    ),
    "too_many_images": made(chat([IMAGE] * 11), TOGETHER),
    "likely_truncated": made(chat("word " * 60_000), OPENAI),
    "truncated": made('{"text": "' + "word " * 20_000 + '"}\n', "local:tiny"),
    "no_trained_token_fits": made(chat("word " * 20_000), "local:tiny"),
    "reference_key_missing": made(
        '{"messages": [{"role": "user", "content": "2 + 2?"}], "reference": {"answer": "4"}}\n',
        "openai:o4-mini-2025-04-16",
        method="rft",
        grader={
            "type": "string_check",
            "name": "exact",
            "input": "{{sample.output_text}}",
            "reference": "{{item.solution}}",
            "operation": "eq",
        },
    ),
}

NEEDS_A_MODEL = {
    "answer_not_located": "rewrites earlier turns",
    "template_leaves_out": "template_leaves_out",
    "template_refuses": "template_refuses",
    "end_token_added": "end_token_added",
    "reasoning_of_earlier_answers_left_out": "reasoning_of_earlier_answers_left_out",
}
"""Codes that depend on a model's own chat template, and by what the tests of the local rules know them."""

NOT_REACHED = (
    "empty_assistant image_not_in_user shape_not_trained unreadable file_too_large too_many_with_images"
).split()
"""Codes that a smaller file never gives, or that an earlier rule of the canonical format finds first."""
