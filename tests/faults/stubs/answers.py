"""The answer to a request that changes something, as good or as bad as is due."""

from __future__ import annotations

import json
from typing import Any

from faults.stubs.conduct import Mishap
from faults.stubs.wire import Answer

_HTML = b"<html><head><title>Gateway</title></head><body><h1>It works!</h1></body></html>"
_ODD: dict[str, Any] = {
    "odd": {"accepted": True, "message": "We have your request."},
    "empty object": {},
    "null": None,
    "empty list": [],
}


def worded(mishap: Mishap, body: Any) -> Answer:
    """`body` is what would be plausible under the mishap's status."""
    status, headers = mishap.status, {}
    if mishap.retry_after:
        headers["Retry-After"] = mishap.retry_after
    if status in (301, 302, 303, 307, 308):
        headers["Location"] = "/elsewhere"
    match mishap.body:
        case "plausible" | "aborted":
            return Answer(status, body, headers=headers, aborted=mishap.body == "aborted")
        case "truncated":
            content = json.dumps(body).encode()
            return Answer(status, content=content[: len(content) // 2], headers=headers)
        case "html":
            return Answer(status, content=_HTML, kind="text/html; charset=utf-8", headers=headers)
        case "empty":
            return Answer(status, content=b"", headers=headers)
    return Answer(status, _ODD[mishap.body], headers=headers)
