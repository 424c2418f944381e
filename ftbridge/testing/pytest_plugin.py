"""The pytest fixture `ftbridge_mock`: every mocked vendor on a loopback port, for users' own tests.

def test_my_pipeline(ftbridge_mock):
    ftbridge_mock["openai"].faults.add("create_job=500-after")
    my_pipeline()                       # uses openai.OpenAI(), or ftbridge, as it always does
    assert len(ftbridge_mock["openai"].seen) > 0
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ftbridge.mock.vendors import MockVendors

_logger = logging.getLogger(__name__)
pytest.register_assert_rewrite("ftbridge.testing")  # so that the suite's failures show their values


@pytest.fixture
def ftbridge_mock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockVendors]:
    """The mocked vendors, fast; the environment leads their SDKs there for the length of the test."""
    from ftbridge.loopback import LoopbackServer
    from ftbridge.mock.vendors import MockVendors
    from ftbridge.plugins import usable_mocks

    vendors = MockVendors(usable_mocks(_logger.warning), tmp_path / "mock", speed=600.0)
    with LoopbackServer(vendors.app()) as server:
        for name, value in vendors.environment(server.url).items():
            monkeypatch.setenv(name, value)
        yield vendors
