"""A fault that would never occur is refused, in whichever way it is given."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from ftbridge import Bridge
from ftbridge.cli.mock import FAULTS
from ftbridge.errors import UsageError
from ftbridge.mock import MockVendors
from ftbridge.mock.faults import Kind
from ftbridge.plugins import read_faults


def test_an_operation_that_no_vendor_has_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match="'create_jobs=500' would never occur") as problem:
        read_faults(["*=429", "create_jobs=500"])
    assert problem.value.hint.startswith("Did you mean 'create_job'? ")
    assert "upload_file" in problem.value.hint


def test_a_kind_that_there_is_not_is_refused_with_all_that_there_are() -> None:
    with pytest.raises(UsageError, match="is not a fault") as problem:
        read_faults(["create_job=418"])
    assert all(kind in problem.value.hint for kind in get_args(Kind))


def test_a_fault_in_a_test_is_held_against_the_operations_of_its_own_vendor(ftbridge_mock: MockVendors) -> None:
    ftbridge_mock["together"].faults.add("estimate_price=422")
    with pytest.raises(UsageError, match="would never occur"):
        ftbridge_mock["openai"].faults.add("estimate_price=422")


def test_a_fault_in_the_environment_may_be_aimed_at_another_vendor(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_FAULTS", "estimate_price=422 create_job=slow:0.01")
    with Bridge() as bridge:
        assert bridge.submit(data, to="mock+openai:gpt-4.1-mini-2025-04-14").remote_id
    monkeypatch.setenv("FTBRIDGE_MOCK_FAULTS", "foo=429")
    with Bridge() as bridge, pytest.raises(UsageError, match="would never occur"):
        bridge.submit(data, to="mock+openai:gpt-4.1-mini-2025-04-14")


def test_the_help_names_operations_that_there_are_and_every_kind() -> None:
    assert "[" not in FAULTS  # which rich would take for markup, and leave out
    operations, kinds = FAULTS.split(" Kinds are ")
    named = re.findall(r"[a-z]+_[a-z_]+", operations)
    assert len(read_faults([f"{operation}=500" for operation in named])) == len(named)
    assert all(kind in kinds for kind in get_args(Kind) if not kind.removesuffix("-after").isdigit())
