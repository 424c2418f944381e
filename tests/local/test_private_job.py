"""A job's folder, and what its worker writes, is its owner's alone whatever the umask."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ftbridge.model import Status
from local.lab import Lab


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_what_a_worker_writes_is_its_owners_alone(lab: Lab) -> None:
    lab.submit("closed", epochs=1, batch_size=8)
    assert lab.wait("closed").status is Status.SUCCEEDED
    lab.folder("closed").discard_data()  # which the worker is about to do
    folder = lab.folder("closed").path
    written = [folder, *folder.rglob("*"), *(folder.parents[1] / "rows").rglob("*")]
    assert len(written) > 10
    assert [path.name for path in written if path.stat().st_mode & 0o077] == []
