"""Ray's job server over plain HTTP: packages, jobs, and the files below its log folders (seen at Ray 2.60.0, 2026-11).

The token is found where Ray itself looks for it: `RAY_AUTH_TOKEN`, the file `RAY_AUTH_TOKEN_PATH`, ~/.ray/auth_token.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import httpx

from ftbridge.config import is_safe_url
from ftbridge.errors import AuthenticationFailed, BadAnswer, ConfigError
from ftbridge.foreign.redaction import register
from ftbridge.foreign.values import count_of, json_of, message_of, text_of
from ftbridge.provider.answers import error_from, is_never_sent, network_error, timeout_error
from ftbridge.provider.connection import INSECURE, check_key
from ftbridge.provider.network import check_socks, client_options
from ftbridge.provider.unreadable import decode_json, reading

PROVIDER = "ray"
ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
_TOKEN = "RAY_AUTH_TOKEN"  # noqa: S105 - where the token is
_TOKEN_FILE = "RAY_AUTH_TOKEN_PATH"  # noqa: S105 - likewise
_SECONDS = httpx.Timeout(120.0, connect=10.0)  # a node that sets up an environment answers late
_NO_TOKEN = (
    f"Set {_TOKEN} to the cluster's token (`ray get-auth-token` on its head prints it), or {_TOKEN_FILE} to its file."
)


class RayJob(NamedTuple):
    """A job of the list: `id` is the one that its client chose, and `node` where its command runs or ran."""

    id: str
    status: str
    message: str
    started: int
    metadata: Mapping[str, str]
    node: str
    exit_code: int | None

    @property
    def has_ended(self) -> bool:
        """Whether its command runs no more, or will never run."""
        return self.status in ENDED


class RayApi:
    """The job server at `url`; `insecure` allows plain http to another machine."""

    def __init__(self, url: str, *, insecure: bool = False) -> None:
        self.url = url
        if not (is_safe_url(url) or insecure or os.environ.get(INSECURE) == "1"):
            raise ConfigError(
                f"{url} is neither https nor this machine: data and the token would travel in the clear",
                hint="Use an https address, or set insecure = true in [runners.NAME] of ftbridge.toml.",
            )

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if client := self.__dict__.pop("_client", None):
            client.close()

    def version(self) -> str:
        """Of Ray."""
        content = self._get("/api/version")
        with reading(PROVIDER):
            return str(text_of(decode_json(content, dict)["ray_version"]))

    def jobs(self) -> list[RayJob]:
        """All jobs that were submitted, the oldest first."""
        return sorted(self._parsed(self._get("/api/jobs/")), key=lambda job: job.started)

    def create(self, body: Mapping[str, Any]) -> None:
        """Submit a job. A second one of the same id is answered with 500, as is much else."""
        content = self._checked(self._send("POST", "/api/jobs/", json=body))
        with reading(PROVIDER):
            if decode_json(content, dict)["submission_id"] != body["submission_id"]:
                raise ValueError("it names another job")

    def stop(self, job: str) -> None:
        """Have a job ended by SIGTERM, and by SIGKILL after the time that it was submitted with."""
        self._checked(self._send("POST", f"/api/jobs/{job}/stop"))

    def has_package(self, name: str) -> bool:
        """Whether a package is there; it is then kept for some minutes more."""
        answer = self._send("GET", f"/api/packages/gcs/{name}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        self._checked(answer)
        return True

    def put_package(self, name: str, content: IO[bytes]) -> None:
        """Put a package in place."""
        size = content.seek(0, os.SEEK_END)
        content.seek(0)
        headers = {"content-length": str(size)}
        self._checked(self._send("PUT", f"/api/packages/gcs/{name}", content=content, headers=headers))

    def list_files(self, node: str, pattern: str) -> list[str]:
        """The paths below a node's log folder that match; folders end with a slash."""
        answer = self._get("/api/v0/logs", node_id=node, glob=pattern)
        with reading(PROVIDER, "a list of files"):
            kinds = decode_json(answer, dict)["data"]["result"]
            return sorted(str(name) for names in kinds.values() for name in names)

    @contextmanager
    def open_file(self, node: str, path: str) -> Iterator[Iterator[bytes]]:
        """The bytes of a file below a node's log folder; one that is not there is answered with 500."""
        parameters = {"node_id": node, "filename": path, "lines": "-1"}
        with _transport_errors(), self._client.stream("GET", "/api/v0/logs/file", params=parameters) as answer:
            if not answer.is_success:
                answer.read()
                self._checked(answer)
            if not answer.headers.get("content-type", "").startswith("text/plain"):
                what = f"{PROVIDER} sent something else than the file {path}"
                raise BadAnswer(
                    what, provider=PROVIDER, hint=f"Check that {self.url} is the address of Ray's dashboard."
                )
            yield answer.iter_bytes()

    def _get(self, path: str, **parameters: str) -> bytes:
        return self._checked(self._send("GET", path, params=parameters))

    def _send(self, method: Literal["GET", "POST", "PUT"], path: str, **named: Any) -> httpx.Response:
        with _transport_errors():
            return self._client.request(method, path, **named)

    def _checked(self, answer: httpx.Response) -> bytes:
        if answer.is_success:
            return answer.content
        problem = error_from(PROVIDER, answer.status_code, _last_line(answer.text), headers=answer.headers)
        if isinstance(problem, AuthenticationFailed):
            problem.hint = _NO_TOKEN
        raise problem

    def _parsed(self, content: bytes) -> list[RayJob]:
        with reading(PROVIDER, "a list of jobs"):
            return [_job(one) for one in decode_json(content, list) if one.get("submission_id")]

    @cached_property
    def _client(self) -> httpx.Client:
        check_socks(self.url)
        headers = {"authorization": f"Bearer {token}"} if (token := _token()) else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=_SECONDS, **client_options(self.url))


def _job(one: Mapping[str, Any]) -> RayJob:
    metadata = one.get("metadata") or {}
    return RayJob(
        id=str(text_of(one["submission_id"])),
        status=str(text_of(one["status"])),
        message=str(message_of(one.get("message") or "")),
        started=count_of(one.get("start_time")) or 0,
        metadata={str(name): str(json_of(value)) for name, value in metadata.items()},
        node=str(one.get("driver_node_id") or ""),
        exit_code=one.get("driver_exit_code"),
    )


def _token() -> str:
    """The cluster's token; "" where there is none."""
    token = os.environ.get(_TOKEN, "").strip()
    file = os.environ.get(_TOKEN_FILE, "").strip()
    path = Path(file) if file else Path("~/.ray/auth_token").expanduser()
    if not token and (file or path.is_file()):
        try:
            token = path.read_text("utf-8").strip()
        except (OSError, ValueError) as problem:
            raise ConfigError(f"the token of Ray in {path} cannot be read: {problem}", hint=_NO_TOKEN) from None
    if token:
        check_key(token, _TOKEN)
        register(token)
    return token


@contextmanager
def _transport_errors() -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as problem:
        raise (network_error(PROVIDER, problem) if is_never_sent(problem) else timeout_error(PROVIDER)) from None
    except (httpx.TransportError, httpx.DecodingError) as problem:
        raise network_error(PROVIDER, problem) from None


def _last_line(text: str) -> str:
    """The sentence at the end of a traceback, which is how Ray answers."""
    lines = [line for line in text.splitlines() if line.strip(" .")]
    return lines[-1] if lines else ""
