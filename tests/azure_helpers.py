"""What the tests of Azure's room share."""

from __future__ import annotations

from starlette.requests import Request

from ftbridge_providers.azure.mock import AzureMock


class Listening(AzureMock):
    """Remembers the headers by which it was spoken to; its clock is `ahead` seconds of ours."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead

    def authorised(self, request: Request) -> bool:
        self.__dict__.setdefault("headers", []).append((request.url.path, dict(request.headers)))
        return super().authorised(request)
