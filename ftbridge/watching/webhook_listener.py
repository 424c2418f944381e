"""A vendor's own webhooks, which make a watch poll at once.

The content of a webhook is not used beyond that, since it may come late, repeated and out of order; the poll that
follows gets the current state.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ftbridge.context import Context
from ftbridge.errors import AuthenticationFailed, FtbridgeError


def webhook_app(context: Context, wake: Callable[[str], None]) -> Starlette:
    """An application that accepts POST /PROVIDER and wakes the task of that provider, if the signature is valid."""

    async def accept(request: Request) -> Response:
        name = request.path_params["provider"]
        body = await request.body()
        try:
            context.provider_named(name).check_webhook(dict(request.headers), body)
        except AuthenticationFailed as problem:
            return Response(problem.message, 401)
        except FtbridgeError as problem:
            return Response(problem.message, 404)
        wake(name)
        return Response(status_code=204)

    return Starlette(routes=[Route("/{provider}", accept, methods=["POST"])])
