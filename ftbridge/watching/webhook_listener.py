"""A vendor's own webhooks, taken as a wake-up: whoever watches looks at once.

What the request says is not believed beyond that, since it is told at least once, late, and out of
order; the look that follows finds out what is true.
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
    """An application that takes POST /PROVIDER and wakes the task of that provider, if its signature is good."""

    async def ring(request: Request) -> Response:
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

    return Starlette(routes=[Route("/{provider}", ring, methods=["POST"])])
