"""Together's adapter, through its SDK, against its mock over a real socket."""

from __future__ import annotations

from typing import ClassVar

from ftbridge.testing.mocked import MockedContract
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.mock import TogetherMock


class TestTogether(MockedContract):
    model: ClassVar[str] = "Qwen/Qwen3-8B"
    provider_class = TogetherProvider
    mock_class = TogetherMock
    operations: ClassVar[dict[str, str]] = {"content": "store_file"}
