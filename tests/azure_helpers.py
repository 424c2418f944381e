"""What the tests of Azure's room share."""

from __future__ import annotations

from starlette.requests import Request

from ftbridge.model import Spec
from ftbridge.provider import Files
from ftbridge_providers.azure.adapter import AzureProvider
from ftbridge_providers.azure.mock.vendor import AzureMock
from hosted_helpers import finished

MODEL = "gpt-4.1-mini-2025-04-14"
TAG = "ftb_0123456789ab"


class Listening(AzureMock):
    """Remembers the headers by which it was spoken to; its clock is `ahead` seconds of ours."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead

    def authorised(self, request: Request) -> bool:
        self.__dict__.setdefault("headers", []).append((request.url.path, dict(request.headers)))
        return super().authorised(request)


def tuned(provider: AzureProvider, spec: Spec) -> str:
    """The id of a model that a finished job made."""
    job = provider.create(spec, MODEL, Files(training=provider.upload(spec.data, key="k1")), tag=TAG)
    result = finished(provider, job.remote_id).result
    assert result is not None
    assert result.model is not None
    return result.model
