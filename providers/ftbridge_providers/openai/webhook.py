"""OpenAI's webhooks, which are signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ftbridge.errors import AuthenticationFailed

if TYPE_CHECKING:
    from openai import OpenAI


def check_signature(client: OpenAI, headers: Mapping[str, str], body: bytes) -> None:
    """Raises `AuthenticationFailed` for a webhook that OpenAI has not signed."""
    from openai import InvalidWebhookSignatureError

    try:
        client.webhooks.verify_signature(body, headers)
    except (InvalidWebhookSignatureError, ValueError) as problem:
        raise AuthenticationFailed(
            f"the webhook is not openai's: {problem}",
            provider="openai",
            hint="Set OPENAI_WEBHOOK_SECRET to the secret that was shown when the webhook was created.",
        ) from None
