"""The local provider: each job is a folder below `$FTBRIDGE_HOME/local/jobs` and a worker process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from ftbridge.home import usable
from ftbridge.model import Spec
from ftbridge.provider import Files, RemoteJob
from ftbridge.provider.artifacts import Artifact
from ftbridge_local.artifacts import delete_in
from ftbridge_local.command import TRAIN
from ftbridge_local.machine import describe_devices
from ftbridge_local.packages import check_packages
from ftbridge_local.runners.process import ProcessRunner
from ftbridge_local.training import TrainingProvider


class LocalProvider(TrainingProvider):
    """LoRA on this machine."""

    name: ClassVar[str] = "local"
    keeps_jobs_at_home: ClassVar[bool] = True
    trains_here: ClassVar[bool] = True
    devices = staticmethod(describe_devices)

    def __init__(self, home: Path, *rest: Any, **named: Any) -> None:
        super().__init__(home, *rest, **named)
        self._runner = ProcessRunner(home, TRAIN)

    def runner(self, host: str = "") -> ProcessRunner:
        """The one of this machine."""
        return self._runner

    def hosts(self, tag: str = "") -> Iterable[str]:
        """This machine."""
        return [""]

    @property
    def files_folder(self) -> Path:
        """Beside the jobs."""
        return self.home.absolute() / "local" / "files"

    def resolve(self, model: str, folder: Path = Path()) -> str:
        """Paths are made absolute."""
        check_packages()
        from ftbridge_local.models.find import resolve

        return resolve(model, self.home, folder)

    def model_for_others(self, model: str) -> str:
        """Its name at the hub, or its folder. Raises `SpecError` for an adapter."""
        check_packages()
        from ftbridge_local.models.find import name_for_others

        return name_for_others(model, self.home.absolute())

    def check_limits(self, spec: Spec, model: str) -> None:
        """Refuses more devices than this machine has, and a teacher with other tokens."""
        super().check_limits(spec, model)
        if (devices := spec.hyperparameters.devices or 1) > 1:
            check_packages()
            from ftbridge_local.trainer.distributed import check_devices

            check_devices(devices)

    @contextmanager
    def preloading(self, spec: Spec, model: str) -> Iterator[None]:
        """Within it a worker gets ready, and the tokens of the examples that are checked are kept for it."""
        with self._runner.standby(preload=(spec.hyperparameters.devices or 1) == 1):
            self._preloading = True
            try:
                yield
            finally:
                self._preloading, self._tokenized = False, None

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """Write the job folder and start its worker; repeated for the same tag, it does only what is missing."""
        source = self._source(spec, model)  # which may have disappeared while the job waited in the queue
        if tokenized := self._tokenized:
            for file in filter(None, (files.training, files.validation)):
                tokenized.store(Path(file), self.home.absolute())
        from ftbridge_local.preparation import prepare

        fill = prepare(spec, model, files, source, self._teacher(spec, source), self.home.absolute())
        with usable(self.home):
            self._runner.start(tag, fill)
        return self._known(tag)

    def delete(self, artifact: Artifact) -> None:
        """Remove it, unless its job is not over."""
        delete_in(self.home.absolute() / "local", artifact)
