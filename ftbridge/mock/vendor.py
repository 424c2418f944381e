"""The base of a vendor's mock: operations are plain functions from a call to an answer.

A vendor's mock subclasses `MockVendor`, marks its operations with `@operation(method, path)`,
and answers with the vendor's own objects. Faults, keys, the record of calls, and the shape of
errors are handled here.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from msgspec import Struct, field, structs
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ftbridge.mock.echo import echoed
from ftbridge.mock.faults import Fault, Faults
from ftbridge.mock.hostile import make_hostile
from ftbridge.mock.store import Store
from ftbridge.model import Status

_RECORDED = 2**20  # bytes: the content of a larger upload is not recorded


class Call(Struct, frozen=True):
    """A request: path parameters, query, JSON body or form, the uploaded file, the requested range."""

    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    body: Any = None
    form: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    file_name: str = ""
    base_url: str = ""
    range: str = ""


class Answer(Struct, frozen=True):
    """A response: JSON, or `content` where that is not `None`."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


class Seen(Struct, frozen=True):
    """One call and its answer, recorded for tests; headers, and so keys, are never recorded."""

    operation: str
    call: Call
    answer: Answer


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure of the mock
    """Raised by an operation: the vendor's error answer."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.answer = Answer(body, status, headers or {})


Operation = Callable[[Any, Call], Answer]
Marked = TypeVar("Marked", bound=Operation)


def operation(method: str, path: str, *, open_to_all: bool = False) -> Callable[[Marked], Marked]:
    """Mark a method of a `MockVendor` as the operation for `method` at `path`; its name is the operation's."""

    def mark(function: Marked) -> Marked:
        function.__dict__["route"] = (method, path, open_to_all)
        return function

    return mark


class MockVendor:
    """One mocked vendor with its state in a folder; `speed` times faster than the vendor."""

    name: ClassVar[str]
    base_path: ClassVar[str] = ""
    """The path of the base URL that the vendor's SDK expects."""
    key_env: ClassVar[str]
    url_env: ClassVar[str]
    """The environment variables that hold the vendor's key and base URL."""
    quota_error: ClassVar[tuple[int, str | None]] = (402, None)
    """The status and code of the refusal of an account without credit."""

    def __init__(self, folder: Path, *, speed: float = 60.0, faults: Iterable[Fault] = ()) -> None:
        self.store = Store(folder)
        self.speed = speed
        self.faults = Faults(self.operations(), list(faults))
        self.seen: list[Seen] = []

    @classmethod
    def operations(cls) -> list[str]:
        """The names of this vendor's operations, which fault rules refer to."""
        return [name for name in dir(cls) if hasattr(getattr(cls, name), "route")]

    def error(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> Any:
        """The body of an error, in the vendor's own shape."""
        return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}

    def authorised(self, request: Request) -> bool:
        """Whether the request carries a key where this vendor wants it."""
        return request.headers.get("authorization", "").startswith("Bearer ")

    def ending(self) -> Status:
        """How a job that is created now will end."""
        if self.faults.condition("cancel"):
            return Status.CANCELLED
        return Status.FAILED if self.faults.condition("fail") else Status.SUCCEEDED

    def now(self) -> float:
        """The vendor's clock."""
        return time.time()

    def listed_until(self) -> float:
        """The time after which created jobs are not listed yet, where a lag is injected."""
        lag = self.faults.condition("lag")
        return self.now() - (lag.value if lag else 0.0)

    def stalled(self, phases: Iterable[tuple[Status, float]]) -> list[tuple[Status, float]]:
        """The phases of a job that is created now; the last one is longer where a stall is injected."""
        *before, (status, seconds) = phases
        stall = self.faults.condition("stall")
        return [*before, (status, seconds + (stall.value * self.speed if stall else 0.0))]

    def refusal(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> Refusal:
        """An error answer in the vendor's own shape."""
        return Refusal(status, self.error(status, message, code=code, param=param))

    def environment(self, url: str) -> dict[str, str]:
        """The variables by which the vendor's SDK, and ftbridge's adapter, use this mock at `url`."""
        return {self.url_env: f"{url}{self.base_path}", self.key_env: "mock-key"}

    def mount_path(self, path: str) -> str:
        """Where the operation at `path` is served; a vendor that speaks another's API may have it elsewhere."""
        return path

    def app(self) -> Starlette:
        """The vendor as a web application."""
        routes = []
        for name in self.operations():
            function = getattr(type(self), name)
            method, path, open_to_all = function.route
            endpoint = self._endpoint(name, function, open_to_all)
            routes.append(Route(self.mount_path(path), self._with_echo(endpoint), methods=[method]))
        routes.sort(key=lambda route: route.path.count("{"))  # a fixed segment wins over a parameter
        return Starlette(routes=routes)

    def _endpoint(self, name: str, function: Operation, open_to_all: bool) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            if not open_to_all and not self.authorised(request):
                return _response(Answer(self.error(401, "Incorrect API key provided.", code="invalid_api_key"), 401))
            fault = self.faults.take(name)
            if fault and (failure := await self._before(fault, request)):
                return failure
            call = await _read(request)
            try:
                answer = function(self, call)
            except Refusal as refusal:
                answer = refusal.answer
            large = len(call.content) > _RECORDED
            self.seen.append(Seen(name, structs.replace(call, content=b"") if large else call, answer))
            del call  # what was uploaded is stored, and need not stay in memory
            answer = self._with_conditions(name, answer)
            return self._after(fault, answer, request) if fault else _response(answer)

        return endpoint

    def _with_echo(self, endpoint: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def echoing(request: Request) -> Response:
            response: Response = await endpoint(request)
            return echoed(response, request) if self.faults.condition("echo") else response

        return echoing

    def _with_conditions(self, name: str, answer: Answer) -> Answer:
        """The answer of a listing, changed by the vendor's conditions."""
        if not isinstance(answer.body, dict) or not isinstance(answer.body.get("data"), list):
            return answer
        body = answer.body
        if self.faults.condition("twice", name):
            return structs.replace(answer, body={**body, "data": [row for row in body["data"] for _copy in range(2)]})
        if self.faults.condition("unfinished", name):
            paged = {"has_more": True} if "has_more" in body else {"total": 1000} if "total" in body else None
            return structs.replace(answer, body={**body, "data": [] if paged else None, **(paged or {})})
        return answer

    async def _before(self, fault: Fault, request: Request) -> Response | None:
        """The response of a fault that occurs before the operation is carried out."""
        kind = fault.kind
        if kind == "slow":
            await asyncio.sleep(fault.value)
        elif kind == "cut-upload":
            async for _chunk in request.stream():
                break
            return _hang_up(request)
        elif kind == "cut":
            return _hang_up(request)
        elif kind == "redirect":
            return Response(status_code=307, headers={"location": "http://127.0.0.2:9/elsewhere"})
        elif kind == "quota":
            status, code = self.quota_error
            message = "You exceeded your current quota, please check your plan and billing details."
            return _response(Answer(self.error(status, message, code=code), status))
        elif kind.isdigit():
            headers = {"retry-after": f"{fault.value:g}"} if kind == "429" else {}
            return _response(Answer(self.error(int(kind), f"Injected fault {kind}."), int(kind), headers))
        return None

    def _after(self, fault: Fault, answer: Answer, request: Request) -> Response:
        """The response of a fault that occurs after the operation was carried out."""
        kind = fault.kind
        if kind.endswith("-after") and kind[:3].isdigit():
            return _response(Answer(self.error(int(kind[:3]), f"Injected fault {kind}."), int(kind[:3])))
        if kind == "cut-after":
            return _hang_up(request)
        if kind == "html":
            return Response("<html><body>Bad gateway</body></html>", media_type="text/html")
        if kind == "hostile":
            return Response(make_hostile(answer.body), media_type="application/json")
        if kind == "invalid-json":
            return Response('{"id": oops', media_type="application/json")
        response = _response(answer)
        if kind == "cut-midway":
            return _hang_up_midway(response, request)
        if kind == "truncate":
            return Response(response.body[: len(response.body) // 2], media_type="application/json")
        return response


async def _read(request: Request) -> Call:
    kind = request.headers.get("content-type", "")
    parts: dict[str, Any] = {}
    if kind.startswith("multipart/form-data"):
        async with request.form() as form:
            parts["form"] = {name: value for name, value in form.items() if isinstance(value, str)}
            for value in form.values():
                if isinstance(value, UploadFile):
                    parts |= {"content": await value.read(), "file_name": value.filename or ""}
    else:
        content = await request.body()
        if kind.startswith("application/json") and content:
            parts["body"] = json.loads(content)
        else:
            parts["content"] = content
    return Call(
        method=request.method,
        path=request.url.path,
        params=dict(request.path_params),
        query=dict(request.query_params),
        base_url=str(request.base_url).rstrip("/"),
        range=request.headers.get("range", ""),
        **parts,
    )


def _response(answer: Answer) -> Response:
    if answer.content is not None:
        return Response(answer.content, answer.status, answer.headers, media_type="application/octet-stream")
    data = json.dumps(answer.body, ensure_ascii=False).encode()
    return Response(data, answer.status, answer.headers, media_type="application/json")


def _hang_up_midway(response: Response, request: Request) -> Response:
    """Half of a response whose headers announce all of it, and then the end of the connection."""
    content = bytes(response.body)

    async def half() -> AsyncIterator[bytes]:
        yield content[: len(content) // 2]
        request.scope["state"]["transport"].close()
        await asyncio.sleep(0.05)  # the connection is closed before the server notices the missing half

    return StreamingResponse(half(), response.status_code, dict(response.headers))


def _hang_up(request: Request) -> Response:
    """Close the connection; the returned response is never sent."""
    request.scope["state"]["transport"].abort()
    return Response()
