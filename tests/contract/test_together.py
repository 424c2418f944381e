"""Together's adapter, through its SDK, against its mock over a real socket."""

from __future__ import annotations

from typing import ClassVar

from contract.by_the_document import DocumentedContract
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.mock.vendor import TogetherMock


class TestTogether(DocumentedContract):
    model: ClassVar[str] = "Qwen/Qwen3-8B"
    provider_class = TogetherProvider
    mock_class = TogetherMock
    prefix: ClassVar[str] = "/v1"
    operations: ClassVar[dict[str, str]] = {"content": "store_file"}
