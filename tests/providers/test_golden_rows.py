"""Every vendor gets exactly the row that its own documents ask for; see golden_rows.txt."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from ftbridge.dataset.findings import Diagnostics
from vendor_cases import ALL, Case, case_parameters, converter


def test_each_case_names_all_vendors() -> None:
    assert len(ALL) >= 70
    assert all(case.golden.keys() == {"openai", "together", "mistral"} for case in ALL.values())


@pytest.mark.parametrize(("vendor", "case"), case_parameters("openai", "together", "mistral"))
def test_vendor_gets_the_row_of_its_documents(vendor: str, case: Case) -> None:
    example, golden = case.example, case.golden[vendor]
    diagnostics = Diagnostics()
    row = converter(vendor, example).convert(example, diagnostics)
    errors = {("refused", f"{found.code} {found.path}") for found in diagnostics.findings if found.level == "error"}
    warnings = {("warned", f"{found.code} {found.path}") for found in diagnostics.findings if found.level == "warning"}
    changes = {("changed", code) for code in diagnostics.changes}
    assert errors == {one for one in golden.findings if one[0] == "refused"}
    if golden.row != "refused":
        assert warnings | changes == golden.findings
        assert len(diagnostics.changes) == len(changes), "a code is reported once for an example"
    if golden.row == "same":
        assert row is example
    elif golden.row != "refused":
        got = msgspec.json.encode(row).decode()
        assert got != msgspec.json.encode(example).decode()
        if "<1>" in golden.row:
            assert with_numbered_ids(got) == msgspec.json.decode(golden.row)
        else:
            assert msgspec.json.decode(got) == msgspec.json.decode(golden.row)


@pytest.mark.parametrize(("vendor", "case"), case_parameters("openai", "together", "mistral"))
def test_findings_say_where_what_and_what_to_do(vendor: str, case: Case) -> None:
    diagnostics = Diagnostics("a-target")
    converter(vendor, case.example).convert(case.example, diagnostics)
    for found in diagnostics.findings:
        assert found.path.startswith("$")
        assert found.target == "a-target"
        assert found.message
        assert found.fix.endswith(".")


def with_numbered_ids(row: str) -> Any:
    """The row with the ids of nine letters or digits numbered by first appearance."""
    numbers: dict[str, str] = {}
    return msgspec.json.decode(
        re.sub(
            r'("id"|"tool_call_id"):"([a-zA-Z0-9]{9})"',
            lambda found: f'{found[1]}:"{numbers.setdefault(found[2], f"<{len(numbers) + 1}>")}"',
            row,
        )
    )
