"""A vendor that repeats the caller's key wherever it has words of its own: errors, headers, jobs, events, pages."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

_TEXTS = ("message", "msg", "param", "detail", "error", "request_id")


def echoed(response: Response, request: Request) -> Response:
    """The response with the key of its request, in several spellings, behind each text."""
    header = request.headers.get("api-key") or request.headers.get("authorization", "")
    echo = f" (your key: {'; '.join(_spellings(header.removeprefix('Bearer ')))})"
    response.headers["x-request-id"] = f"req{echo}".replace("\n", "")
    if "location" in response.headers:
        response.headers["location"] += f"?token={header.removeprefix('Bearer ')}"
    if not response.body:
        return response
    kind = response.headers["content-type"]
    if kind.startswith("application/json"):
        try:
            body = json.dumps(_repeat(json.loads(bytes(response.body)), echo))
        except ValueError:  # it is injected as invalid
            body = bytes(response.body).decode() + echo
    elif kind.startswith("text/html"):
        body = bytes(response.body).decode() + echo
    else:
        return response
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(body, response.status_code, headers)


def _spellings(key: str) -> list[str]:
    """As it is, in upper case, in a URL, in JSON, and broken into two lines."""
    in_url = "".join(f"%{ord(sign):02X}" for sign in key)
    in_json = "".join(f"\\u{ord(sign):04x}" for sign in key)
    return [key, key.upper(), in_url, in_json, f"{key[:9]}\n{key[9:]}"]


def _repeat(part: Any, echo: str) -> Any:
    if isinstance(part, list):
        return [_repeat(one, echo) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: f"{value}{echo}" if name in _TEXTS and isinstance(value, str) else _repeat(value, echo)
        for name, value in part.items()
    }
