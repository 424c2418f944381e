"""A local provider with a home of its own, and what one does with it in tests."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from ftbridge.model import Event, Hyperparameters, Method, Spec, Status
from ftbridge.provider import Files, RemoteJob
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.models.find import find
from ftbridge_local.preparation import prepare
from ftbridge_local.provider import LocalProvider
from ftbridge_local.trainer.__main__ import main

SETTINGS: dict[str, Any] = {"epochs": 4, "batch_size": 4, "seed": 3, "lora_dropout": 0.1}


class Data(NamedTuple):
    """A training file of 24 chats and a validation file of six."""

    training: Path
    validation: Path


class Lab:
    """A provider with a home of its own in which the tiny base is ready, and what one does with it in tests."""

    def __init__(self, home: Path, base: Path, data: Data) -> None:
        shutil.copytree(base / "local", home / "local")
        self.provider = LocalProvider(home)
        self.data = data

    def submit(
        self,
        tag: str,
        *,
        model: str = "tiny",
        training: Path | None = None,
        validation: Path | None = None,
        **settings: Any,
    ) -> RemoteJob:
        spec = self.spec(**(settings or SETTINGS))
        files = Files(training=str(training or self.data.training), validation=str(validation or self.data.validation))
        return self.provider.create(spec, model, files, tag=tag)

    def spec(self, method: str = "sft", **settings: Any) -> Spec:
        given = Hyperparameters(**settings)
        return Spec(target="local:tiny", data=self.data.training, method=Method(method), hyperparameters=given)

    def train(
        self,
        tag: str,
        *,
        model: str = "tiny",
        training: Path | None = None,
        validation: Path | None = None,
        stop_once: bool = False,
        **settings: Any,
    ) -> JobFolder:
        """Prepare a job and be its worker in this process; with `stop_once` it is paused after a step and resumed."""
        data = self.data if training is None else Data(training, validation or training)
        made = self.prepare(tag, model, data, **settings)
        if stop_once:
            made.ask("pause")
            be_worker(made, self.provider.home)
            assert self.poll(tag).status is Status.PAUSED
            (made.path / "request").unlink()
        be_worker(made, self.provider.home)
        return made

    def prepare(self, tag: str, model: str = "tiny", data: Data | None = None, **settings: Any) -> JobFolder:
        """The folder of a job that no worker has yet."""
        made, home = self.folder(tag), self.provider.home
        made.path.mkdir(parents=True, exist_ok=True)
        training, validation = data or self.data
        files = Files(training=str(training), validation=str(validation))
        source = find(model, home, weights=False)
        prepare(self.spec(**{**SETTINGS, **settings}), model, files, source, None, home)(made)
        made.set_status(Status.SUBMITTING)
        return made

    def poll(self, tag: str) -> RemoteJob:
        [remote] = self.provider.poll([tag])
        return remote

    def folder(self, tag: str) -> JobFolder:
        return JobFolder(self.provider.home / "local" / "jobs" / tag)

    def events(self, tag: str) -> list[Event]:
        return list(self.provider.events(tag, ""))

    def wait(self, tag: str, until: Callable[[], object] | None = None, seconds: float = 120) -> RemoteJob:
        """Return when `until` holds, or else when the job is at rest."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            remote = self.poll(tag)
            at_rest = remote.status.final or remote.status is Status.PAUSED
            if until() if until else at_rest:
                return remote
            assert not at_rest, f"{tag} is {remote.status} before its time: {remote.error}"
            time.sleep(0.02)
        raise AssertionError(f"{tag} is still {self.poll(tag)} after {seconds} s: {self.folder(tag).log.read_text()}")

    def losses(self, tag: str) -> dict[int, tuple[float | None, float | None]]:
        """Training and validation loss by step; where a step was repeated, the last time counts."""
        return {e.step: (e.train_loss, e.valid_loss) for e in self.events(tag) if e.kind == "metric" and e.step}


def be_worker(made: JobFolder, home: Path) -> None:
    """Work at the job in this process, and let go of it."""
    lock = made.lock()
    assert lock is not None
    with patch.dict(os.environ, FTBRIDGE_HOME=str(home)):
        main(str(made.path), str(lock))
    os.close(lock)
