"""A JSON key that is repeated is reported where a target would get the row, with its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from as_it_is import AsItIs
from ftbridge.dataset import Diagnostics, check
from ftbridge.dataset.canonical.repeated_keys import repeated_keys

SOUND = '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}'


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        (SOUND.replace('"content":"y"', '"content":"n","content":"y"'), ["$.messages[1].content"]),
        (SOUND.replace('"content":"y"', '"content":"n","\\u0063ontent":"y"'), ["$.messages[1].content"]),
        (SOUND.replace("{", '{"messages":[],', 1), ["$.messages"]),
        (
            SOUND.removesuffix("}")
            + ',"tools":[{"type":"function","function":{"name":"f","parameters":{"a b":1,"a b":{"c":1,"c":2}}}}]}',
            ['$.tools[0].function.parameters["a b"]', '$.tools[0].function.parameters["a b"].c'],
        ),
        (SOUND, []),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_key_that_comes_twice_is_told_once_with_its_place(
    tmp_path: Path, line: str, paths: list[str], workers: int
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(f"{SOUND}\n{line}\n{SOUND}\n")
    findings = check(path, converters=[AsItIs(), AsItIs()], workers=workers).findings
    assert [(finding.line, finding.path, finding.level) for finding in findings] == [(2, at, "warning") for at in paths]
    assert all(finding.code == "repeated_key" and finding.target == "" for finding in findings)
    assert check(path).findings == ()


@pytest.mark.parametrize("line", [b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"a":' + b"9" * 5000 + b"}"])
def test_where_the_key_cannot_be_found_it_is_still_reported(line: bytes) -> None:
    diagnostics = Diagnostics()
    repeated_keys(line, diagnostics)
    assert [finding.message[:17] for finding in diagnostics.findings] == ["a key is repeated"]
