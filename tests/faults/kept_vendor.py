"""A vendor that keeps its jobs in a folder, which no loss of power on this side touches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from faults.living_vendor import LivingConverter
from ftbridge.dataset import Converter
from ftbridge.model import Event, Method, Spec, Status
from ftbridge.provider import Capabilities, Files, Listed, Provider, RemoteJob
from third_party import write_distribution

FOLDER = "KEPT_VENDOR"
TARGET = "kept:any"
_ENTRY_POINT = "[ftbridge.providers]\nkept = faults.kept_vendor:KeptProvider\n"


class KeptProvider(Provider):
    """Each job is a file called by its id and its tag, in the folder that the environment names."""

    name: ClassVar[str] = "kept"
    capabilities: ClassVar[Capabilities] = Capabilities(methods=frozenset({Method.SFT}), hyperparameters={})
    listing_lag_seconds = 0.0

    def converter(self, spec: Spec, model: str) -> Converter:
        return LivingConverter()

    def upload(self, file: Path, *, key: str) -> str:
        return f"file-{key}"

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        remote_id = f"remote-{len(kept_jobs()) + 1}"
        (_folder() / f"{remote_id}={tag}").touch()  # at one stroke, as the answer to a request is
        return _shown(remote_id)

    def find(self, tag: str) -> list[RemoteJob]:
        return [_shown(remote_id) for remote_id, of in kept_jobs().items() if of == tag]

    def jobs(self) -> list[Listed]:
        at = datetime(2026, 11, 29, tzinfo=UTC)
        return [
            Listed(remote=_shown(remote_id), tag=tag, model="any", training_file="file", created_at=at)
            for remote_id, tag in kept_jobs().items()
        ]

    def poll(self, remote_ids: Sequence[str]) -> Iterable[RemoteJob]:
        return [_shown(remote_id) for remote_id in remote_ids if remote_id in kept_jobs()]

    def events(self, remote_id: str, since: str) -> list[Event]:
        return []


def kept_jobs() -> dict[str, str]:
    """The tag of each job that somebody pays for, by the vendor's id."""
    return dict(file.name.split("=") for file in sorted(_folder().iterdir()))


def install(site: Path) -> None:
    """Make the provider one that is found where `site` is on Python's path."""
    write_distribution(site, "kept", _ENTRY_POINT)


def _folder() -> Path:
    return Path(os.environ[FOLDER])


def _shown(remote_id: str) -> RemoteJob:
    return RemoteJob(remote_id=remote_id, status=Status.RUNNING, raw_status="going")
