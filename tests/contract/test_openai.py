"""OpenAI's adapter, through its SDK, against its mock over a real socket."""

from __future__ import annotations

from typing import ClassVar

from ftbridge.testing.mocked import MockedContract
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.mock import OpenAIMock


class TestOpenAI(MockedContract):
    model: ClassVar[str] = "gpt-4.1-mini-2025-04-14"
    provider_class = OpenAIProvider
    mock_class = OpenAIMock
    operations: ClassVar[dict[str, str]] = {"fetch": "get_file_content"}
