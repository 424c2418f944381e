"""Azure's adapter, through OpenAI's SDK, against its mock over a real socket."""

from __future__ import annotations

from typing import ClassVar

from ftbridge.testing.mocked import MockedContract
from ftbridge_providers.azure.adapter import AzureProvider
from ftbridge_providers.azure.mock.vendor import AzureMock


class TestAzure(MockedContract):
    model: ClassVar[str] = "gpt-4.1-mini-2025-04-14"
    provider_class = AzureProvider
    mock_class = AzureMock
    operations: ClassVar[dict[str, str]] = {"fetch": "get_file_content"}
