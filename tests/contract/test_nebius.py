"""Nebius' adapter, through OpenAI's SDK, against its mock over a real socket."""

from __future__ import annotations

from typing import ClassVar

from ftbridge.testing.mocked import MockedContract
from ftbridge_providers.nebius.adapter import NebiusProvider
from ftbridge_providers.nebius.mock.vendor import NebiusMock


class TestNebius(MockedContract):
    model: ClassVar[str] = "Qwen/Qwen3-8B"
    provider_class = NebiusProvider
    mock_class = NebiusMock
    operations: ClassVar[dict[str, str]] = {"fetch": "get_file_content"}
