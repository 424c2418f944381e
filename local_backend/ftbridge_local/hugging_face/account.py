"""Who asks the hub, and where it is: by the variables and the login of huggingface_hub."""

from __future__ import annotations

import hashlib
import os
from typing import NamedTuple

from ftbridge.config import is_safe_url
from ftbridge.errors import ConfigError
from ftbridge.foreign.redaction import register, register_url
from ftbridge_local.packages import check_packages

_ENDPOINT = "https://huggingface.co"


class HubAccount(NamedTuple):
    """The address of the hub, and a token of it; neither is shown."""

    endpoint: str
    token: str

    def __repr__(self) -> str:
        return "HubAccount"

    @property
    def name(self) -> str:
        """The same for the same token and address, without revealing the token."""
        return hashlib.sha256(f"{self.endpoint} {self.token}".encode()).hexdigest()[:16]


def hub_account() -> HubAccount:
    """By HF_ENDPOINT, and by HF_TOKEN or the hub's own login. Raises `ConfigError` where there is no token."""
    check_packages()
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise ConfigError(
            "there is no token of the Hugging Face hub",
            hint="Run `hf auth login`, or set HF_TOKEN to a token with the permission to start jobs.",
        )
    endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or _ENDPOINT
    if not is_safe_url(endpoint):
        raise ConfigError("HF_ENDPOINT is neither https nor this machine", hint="Use an https address, or unset it.")
    register(token)
    register_url(endpoint)
    return HubAccount(endpoint, token)
