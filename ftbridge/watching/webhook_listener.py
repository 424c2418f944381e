"""A vendor's own webhooks, which make a watch poll at once.

The content of a webhook is not used beyond that, since it may come late, repeated and out of order; the poll that
follows gets the current state. Anybody may send one, so that until its signature is checked it costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ftbridge.context import Context
from ftbridge.errors import AuthenticationFailed, FtbridgeError
from ftbridge.loopback import Limits

LIMITS = Limits(connections=32, seconds=10.0)
LARGEST = 2**20  # bytes; a vendor's webhook has about 300
_CLOSE = {"connection": "close"}  # a connection is for one webhook, as its time is


def webhook_app(context: Context, wake: Callable[[str], None], names: Collection[str]) -> Starlette:
    """An application that accepts POST /PROVIDER and wakes the task of that provider, if the signature is valid.

    `names` are the providers that have a task; no other one is opened.
    """

    async def accept(request: Request) -> Response:
        name = request.path_params["provider"]
        if name not in names:
            return Response("no job of that provider is watched here", 404, _CLOSE)
        body = await _body(request)
        if body is None:
            return Response(f"a webhook has at most {LARGEST} bytes", 413, _CLOSE)
        try:
            context.provider_named(name).check_webhook(dict(request.headers), body)
        except AuthenticationFailed as problem:
            return Response(problem.message, 401, _CLOSE)
        except FtbridgeError as problem:
            return Response(problem.message, 404, _CLOSE)
        wake(name)
        return Response(status_code=204, headers=_CLOSE)

    return Starlette(routes=[Route("/{provider}", accept, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    """The body; `None` for one that is too large, which is not read to its end."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > LARGEST:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            return None
    return bytes(body)
