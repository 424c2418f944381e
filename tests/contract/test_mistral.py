"""Mistral's adapter, by its SDK and by hand, against its mock over a real socket."""

from __future__ import annotations

from typing import ClassVar

from contract.by_the_document import DocumentedContract
from ftbridge_providers.mistral.adapter import MistralProvider
from ftbridge_providers.mistral.mock.vendor import MistralMock


class QuickLooks(MistralProvider):
    """Looks at a job that is validated in a fraction of a second more than once in it."""

    validation_poll_seconds: ClassVar[float] = 0.05


class TestMistral(DocumentedContract):
    model: ClassVar[str] = "open-mistral-nemo"
    provider_class = QuickLooks
    mock_class = MistralMock
    operations: ClassVar[dict[str, str]] = {"events": "get_job", "fetch": "get_job"}
