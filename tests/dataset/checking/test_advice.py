"""Before anything is paid: duplicates, overlap, secrets, too few examples, one dominant answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import Finding, advise
from ftbridge.dataset.checking.secrets import secrets


def row(question: str, answer: str = "") -> dict[str, Any]:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer or f"re {question}"}]
    return {"messages": messages}


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in rows))
    return path


def by_code(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    assert all(finding.level == "warning" for finding in findings)
    return {finding.code: finding for finding in findings}


def test_a_good_file_needs_no_advice(tmp_path: Path) -> None:
    assert advise(write(tmp_path / "a", [row(f"Question {n}") for n in range(60)])) == ()


def test_duplicates_are_counted_with_the_first_line(tmp_path: Path) -> None:
    found = by_code(advise(write(tmp_path / "a", [row(f"q{n % 58}") for n in range(60)])))
    assert found["duplicates"].line == 59
    assert found["duplicates"].message == "2 rows repeat an earlier one"


def test_near_duplicates_are_counted_on_request(tmp_path: Path) -> None:
    pytest.importorskip("rensa")
    long = " ".join(f"word{n}" for n in range(50))
    rows = [row(f"q{n}") for n in range(60)] + [row(long, "yes"), row(long + " more", "yes")]
    assert by_code(advise(write(tmp_path / "a", rows), near_duplicates=True))["near_duplicates"].line == 62


def test_overlap_with_the_validation_file_is_reported(tmp_path: Path) -> None:
    data = write(tmp_path / "a", [row(f"q{n}") for n in range(60)])
    held = write(tmp_path / "b", [row("q7"), row("other")])
    found = by_code(advise(data, validation=held))
    assert (found["overlap"].line, found["overlap"].message) == (8, "1 row is in the validation file as well")


def test_secrets_are_counted_and_shown_redacted(tmp_path: Path) -> None:
    rows = [row(f"q{n}") for n in range(60)]
    rows[4] = row("my key is sk-abcdefghijklmnopqrstuvwx", "write to ann@example.org or bob@example.org")
    rows[5] = row("pay with 4111 1111 1111 1111, not 4111 1111 1111 1112")
    found = by_code(advise(write(tmp_path / "a", rows)))
    assert [found[code].line for code in ("api_key", "email", "card_number")] == [5, 5, 6]
    assert found["api_key"].message == "1 API key in the data, the first of them 'sk-…'"
    assert found["email"].message == "2 e-mail addresses in the data, the first of them 'ann…'"
    assert found["card_number"].message == "2 card numbers in the data, the first of them '411…'"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("AKIAIOSFODNN7EXAMPLE", ["api_key"]),
        ("-----BEGIN RSA PRIVATE KEY-----", ["api_key"]),
        ("5500-0000-0000-0004", ["card_number"]),
        ("5500-0000-0000-0005", []),
        ("0000 0000 0000 0000", []),
        ("order 20260101123456 and @someone at 10:30", []),
        ("a@b", []),
    ],
)
def test_secrets_are_distinguished_from_what_only_looks_like_them(text: str, codes: list[str]) -> None:
    assert [code for code, _ in secrets(text)] == codes


def test_few_examples_are_reported(tmp_path: Path) -> None:
    assert "few_examples" in by_code(advise(write(tmp_path / "a", [row("q")])))


def test_one_answer_that_dominates_all_others_is_reported(tmp_path: Path) -> None:
    rows = [row(f"q{n}", "yes" if n % 5 else "no") for n in range(60)]
    finding = by_code(advise(write(tmp_path / "a", rows)))["one_answer"]
    assert finding.message == "80% of the examples have the same answer, 'yes'"
