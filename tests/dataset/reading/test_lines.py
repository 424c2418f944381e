"""A line that is not a JSON object has one finding, which says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge.dataset import check
from planted_rows import GOOD, only, write

WHOLE_LINES = [
    (b'{"messages": [{"role": "user", "content": "caf\xe9"}]}', "$", "not_utf8", "byte 47 of the line (0xe9)"),
    ('{"messages": [{"role": "user"', "$", "json", "not JSON at column 30: expecting ',' delimiter"),
    ('{"messages": [', "$", "json", "not JSON at column 15"),
    ("{'messages': []}", "$", "json", "not JSON at column 2: expecting property name"),
    ('{"messages": [],}', "$", "json", "not JSON at column 17"),
    ('{"messages": []} {}', "$", "json", "there is more after the end of the object"),
    ('{"messages": [{"role": "user", "content": NaN}]}', "$", "number", "NaN is not JSON"),
    ('{"messages": [{"role": "user", "content": -Infinity}]}', "$", "number", "-Infinity is not JSON"),
    ('{"messages": [{"role": "user", "content": 1e999}]}', "$", "number", "the number 1e999 is too large"),
    ("[1, 2]", "$", "not_an_object", "the row is a list, not an object"),
    ('"hello"', "$", "not_an_object", "the row is a string, not an object"),
    ("17", "$", "not_an_object", "the row is a number, not an object"),
    ("null", "$", "not_an_object", "the row is null, not an object"),
    ("[" * 100_000, "$", "too_deep", "nested too deeply"),
    ('{"messages": ' * 100_000, "$", "too_deep", "nested too deeply"),
    ('{"messages": [{"role": "user", "content": "a\0b"}]}', "$", "json", "invalid control character"),
    (
        '{"messages": [{"role": "user", "content": "\\ud83d"}, {"role": "assistant", "content": "x"}]}',
        "$.messages[0].content",
        "surrogate",
        "half a surrogate pair",
    ),
]


@pytest.mark.parametrize(("line", "path", "code", "sentence"), WHOLE_LINES)
def test_a_line_that_is_not_a_json_object(
    tmp_path: Path, line: str | bytes, path: str, code: str, sentence: str
) -> None:
    report = check(write(tmp_path, GOOD, line, GOOD))
    finding = only(report)
    assert (finding.line, finding.path, finding.code, finding.level) == (2, path, code, "error")
    assert sentence in finding.message
    assert finding.fix
    assert report.examples == 2
