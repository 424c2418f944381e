"""The golden rows of tests/providers/golden_rows.txt: what each vendor gets for an example."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from ftbridge.dataset.canonical.example import Chat, Example, Preference, Text
from ftbridge.dataset.converter import Converter
from ftbridge.model import Method
from ftbridge_providers.mistral.format import MistralFormat
from ftbridge_providers.openai.format import OpenAIFormat
from ftbridge_providers.together.format import TogetherFormat

CASES = Path(__file__).parent / "providers" / "golden_rows.txt"


class Golden(NamedTuple):
    """One vendor's line: the row, `same` or `refused`, and its findings."""

    row: str
    findings: frozenset[tuple[str, str]]


class Case(NamedTuple):
    example: Example
    golden: dict[str, Golden]


def read_cases() -> dict[str, Case]:
    macros: dict[str, str] = {}
    cases: dict[str, Case] = {}
    golden: dict[str, Golden] = {}
    vendors: list[str] = []
    for line in CASES.read_text(encoding="utf-8").splitlines():
        first, _, rest = line.partition(" ")
        rest = re.sub(r"@([A-Z]+)", lambda macro: macros[macro[1]], rest.strip())
        if first == "let":
            name, _, value = rest.partition(" ")
            macros[name] = value.strip()
        elif first.startswith("["):
            golden, title = {}, line.strip("[]")
        elif first == "example":
            cases[title] = Case(read_example(rest), golden)
        elif first in ("openai", "together", "mistral"):
            found = re.fullmatch(r"((?:(?:together|mistral)\s+)*)(same|\{.*\}|refused .*)", rest)
            assert found, line
            vendors = [first, *found[1].split()]
            what, findings = found[2], frozenset[tuple[str, str]]()
            if what.startswith("refused"):
                what, findings = "refused", frozenset({read_finding(what)})
            golden.update(dict.fromkeys(vendors, Golden(what, findings)))
        elif line.startswith("  "):
            for vendor in vendors:
                golden[vendor] = Golden(golden[vendor].row, golden[vendor].findings | {read_finding(rest)})
    return cases


def read_finding(text: str) -> tuple[str, str]:
    how, code, *path = text.split()
    return how, " ".join([code, *path])


def read_example(row: str) -> Example:
    keys = msgspec.json.decode(row).keys()
    kind: Any = Text if "text" in keys else Preference if "input" in keys else Chat
    example: Example = msgspec.json.decode(row, type=kind)
    return example


def converter(vendor: str, example: Example) -> Converter:
    method = Method.DPO if isinstance(example, Preference) else Method.SFT
    converters: dict[str, Converter] = {
        "openai": OpenAIFormat("openai:gpt-4o-2024-08-06", "gpt-4o-2024-08-06", method),
        "together": TogetherFormat("together:Qwen/Qwen3-VL-8B-Instruct", method, "Qwen/Qwen3-VL-8B-Instruct"),
        "mistral": MistralFormat("mistral:pixtral-12b-latest", "pixtral-12b-latest"),
    }
    return converters[vendor]


ALL = read_cases()


def case_parameters(*vendors: str) -> list[Any]:
    """A test parameter for each case and vendor."""
    return [pytest.param(vendor, case, id=f"{vendor}: {title}") for title, case in ALL.items() for vendor in vendors]
