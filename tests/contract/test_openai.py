"""OpenAI's adapter, through its SDK, against its mock over a real socket."""

from __future__ import annotations

from typing import ClassVar

from contract.by_the_document import DocumentedContract
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.mock.vendor import OpenAIMock


class TestOpenAI(DocumentedContract):
    model: ClassVar[str] = "gpt-4.1-mini-2025-04-14"
    provider_class = OpenAIProvider
    mock_class = OpenAIMock
    prefix: ClassVar[str] = "/v1"
    operations: ClassVar[dict[str, str]] = {"fetch": "get_file_content"}
