"""The requests of Hugging Face Jobs: create, list, cancel, and the end of a log.

They are those of huggingface_hub 2.4 (`HfApi.run_job`, `list_jobs`, `cancel_job`, `fetch_job_logs`), and tests hold
them against it. They are sent here, because its client waits without limit and repeats a POST that is redirected.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property, partial
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

from ftbridge.foreign.values import text_of
from ftbridge.provider.answers import error_from, network_error
from ftbridge.provider.network import client_options
from ftbridge.provider.paging import MOST_PAGES, unfinished
from ftbridge.provider.retry import with_retries
from ftbridge.provider.unreadable import reading
from ftbridge_local.hugging_face.account import HubAccount, hub_account
from ftbridge_local.hugging_face.table import PROVIDER

ACTIVE = ("SCHEDULING", "RUNNING")
ENDED = ("COMPLETED", "ERROR", "CANCELED", "DELETED")
"""The stages of a job (huggingface_hub 2.4.0, `JobStage`); another one is unknown."""
_ATTEMPTS = 3
_TIMEOUT = 60.0  # seconds without a byte
_LOG_SECONDS = 5.0  # the log of a job that has ended comes at once, and its stream may stay open


class HubJob(NamedTuple):
    """A job at the hub, of which one tag may have several: each time that it is resumed there is another one."""

    id: str
    stage: str
    message: str
    labels: Mapping[str, str]
    created_at: datetime
    finished_at: datetime | None
    running_seconds: float

    @property
    def is_over(self) -> bool:
        """Whether it runs no more; one in a stage that is not known may run."""
        return self.stage in ENDED


class JobsApi:
    """The jobs of a namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    @cached_property
    def account(self) -> HubAccount:
        """Who asks. Raises `ConfigError` where there is no token."""
        return hub_account()

    @cached_property
    def namespace(self) -> str:
        """The one given, or that of the token."""
        if self._namespace:
            return self._namespace
        answer = self._get(f"{self.account.endpoint}/api/whoami-v2")
        with reading(PROVIDER):
            return str(answer.json()["name"])

    def create(self, job: Mapping[str, Any]) -> HubJob:
        """Begin a job: one request, never repeated."""
        answer = self._send("POST", self._url, json=dict(job))
        with reading(PROVIDER, "a job"):
            return _job(answer.json())

    def listed(self, labels: Mapping[str, str]) -> list[HubJob]:
        """The jobs with all these labels, newest first, each once."""
        url = str(httpx.URL(self._url, params=[("label", f"{key}={value}") for key, value in labels.items()]))
        seen: dict[str, HubJob] = {}
        for _page in range(MOST_PAGES):
            answer = self._get(url)
            with reading(PROVIDER, "a list of jobs"):
                jobs = [_job(one) for one in answer.json()]
                following = str(answer.links.get("next", {}).get("url", ""))
            new = [job for job in jobs if job.id not in seen]
            seen |= {job.id: job for job in new}
            if not following:
                wanted = [job for job in seen.values() if labels.items() <= job.labels.items()]
                return sorted(wanted, key=lambda job: (job.created_at, job.id), reverse=True)
            url = urljoin(url, following)
            if not new or urlsplit(url)[:2] != urlsplit(self.account.endpoint)[:2]:
                break
        raise unfinished(PROVIDER, "it says that there is more, and sends nothing new")

    def cancel(self, job_id: str) -> None:
        """Ask the hub to stop a job."""
        self._send("POST", f"{self._url}/{job_id}/cancel")

    def end_of_log(self, job_id: str, lines: int = 20) -> str:
        """The last lines that a job which has ended wrote; as far as they come at once."""
        read: list[str] = []
        until = time.monotonic() + _LOG_SECONDS
        url = f"{self._url}/{job_id}/logs"
        timeout = httpx.Timeout(_TIMEOUT, read=_LOG_SECONDS)
        try:
            with self._client.stream("GET", url, params={"tail": lines}, timeout=timeout) as answer:
                for line in answer.iter_lines() if answer.is_success else ():
                    read.extend(_logged(line))
                    if time.monotonic() > until:
                        break
        except httpx.HTTPError:
            pass  # what has come is all that is told
        return "\n".join(read[-lines:])

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        if client := vars(self).pop("_client", None):
            client.close()

    @property
    def _url(self) -> str:
        return f"{self.account.endpoint}/api/jobs/{self.namespace}"

    @cached_property
    def _client(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.account.token}"}
        return httpx.Client(headers=headers, timeout=_TIMEOUT, **client_options(self.account.endpoint))

    def _get(self, url: str) -> httpx.Response:
        return with_retries(partial(self._send, "GET", url), attempts=_ATTEMPTS)

    def _send(self, method: str, url: str, **more: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, url, **more)
        except httpx.HTTPError as problem:
            raise network_error(PROVIDER, problem) from problem
        if answer.status_code >= 300:
            raise error_from(PROVIDER, answer.status_code, _message(answer), headers=answer.headers)
        return answer


def _job(value: Any) -> HubJob:
    status, durations = value["status"], value.get("durations") or {}
    finished = value.get("finishedAt")
    return HubJob(
        id=str(value["id"]),
        stage=str(status["stage"]),
        message=text_of(status.get("message")) or "",
        labels={str(key): str(label) for key, label in (value.get("labels") or {}).items()},
        created_at=datetime.fromisoformat(value["createdAt"]),
        finished_at=datetime.fromisoformat(finished) if finished else None,
        running_seconds=float(durations.get("runningSecs") or 0),
    )


def _message(answer: httpx.Response) -> str:
    if told := answer.headers.get("x-error-message"):
        return str(told)
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return answer.text


def _logged(line: str) -> Iterator[str]:
    """The text in a line of an event stream, where it has one."""
    if line.startswith("data:"):
        try:
            text = json.loads(line.removeprefix("data:"))["data"]
        except (ValueError, KeyError, TypeError):
            return
        if not str(text).startswith("===== Job started"):
            yield str(text)
