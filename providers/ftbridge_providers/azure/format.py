"""Azure's training files: those of OpenAI's models, with Azure's rules for images.

Source: "Vision fine-tuning" in github.com/MicrosoftDocs/azure-ai-docs,
articles/foundry/openai/includes/how-to-fine-tuning-vision-content.md (2026-03-19).
"""

from __future__ import annotations

from typing import ClassVar

from ftbridge_providers.openai_api.gpt.format import GptFormat
from ftbridge_providers.shared.images import ImageRules


class AzureFormat(GptFormat):
    """Two models take images, up to 64 in an example."""

    vendor: ClassVar[str] = "Azure"
    vision_models: ClassVar[tuple[str, ...]] = ("gpt-4o-2024-08-06", "gpt-4.1-2025-04-14")
    image_rules: ClassVar[ImageRules] = ImageRules("Azure", linked=True, most=64)

    def base_of(self, model: str) -> str:
        """TunedModel models are called `BASE.ft-…`."""
        return model.split(".ft-")[0]
