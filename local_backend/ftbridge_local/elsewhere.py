"""Training on other machines: `ssh:HOST/MODEL`, `slurm:MODEL` and `slurm:HOST/MODEL`.

A job is the same folder and the same worker as at `local:`, at the host. What was asked for and the results that were
brought here are mirrored below `$FTBRIDGE_HOME/runners/PROVIDER/HOST`, so that a tag leads to its host. Tokenizers are
read here, and answers are generated here.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.errors import NotFound, TargetError
from ftbridge.home import usable
from ftbridge.model import Result, Spec
from ftbridge.provider import Files, Listed, RemoteJob
from ftbridge.provider.artifacts import Artifact
from ftbridge.wording import counted, printable
from ftbridge_local.artifacts import delete_in, uploads_of
from ftbridge_local.command import TRAIN
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.packages import check_packages
from ftbridge_local.runners.mirror import Mirror
from ftbridge_local.runners.remote import RemoteRunner
from ftbridge_local.runners.runner import JobReport, Runner
from ftbridge_local.runners.slurm import SlurmRunner, check_slurm
from ftbridge_local.runners.ssh import SshLink
from ftbridge_local.runners.tables import SlurmTable, SshTable
from ftbridge_local.training import TrainingProvider

if TYPE_CHECKING:
    from ftbridge.doctor import Check

_SMALL = 5.0  # gigabytes: below it few models and results fit
_HOST = re.compile(r"[A-Za-z0-9_][\w.@-]*")
HERE = "here"
"""The host of `slurm:MODEL`: the cluster whose login node this machine is."""


class ElsewhereProvider(TrainingProvider):
    """Jobs at hosts, each with a runner of its own; `runners` are the tables of `[runners.NAME]`, by name."""

    poll_seconds: float = 5.0
    slowest_poll_seconds: float = 60.0

    def __init__(self, home: Path, *rest: Any, runners: Mapping[str, Any] | None = None, **named: Any) -> None:
        super().__init__(home, *rest, **named)
        self._tables = dict(runners or {})
        self._opened: dict[str, Runner] = {}
        self._opening = RLock()

    @abstractmethod
    def split(self, model: str) -> tuple[str, str]:
        """The host, and the model there. Raises `TargetError` where one of them is missing."""

    @abstractmethod
    def open_runner(self, host: str, folder: Path) -> Runner:
        """The runner of a host, which keeps its mirror in `folder`."""

    def runner(self, host: str) -> Runner:
        """The runner of a host, the same one each time."""
        with self._opening:
            if host not in self._opened:
                self._opened[host] = self.open_runner(host, self._root / host)
            return self._opened[host]

    def hosts(self, tag: str = "") -> Iterable[str]:
        """Those of the tables, and those that had jobs from here; of a job that was begun from here, its own."""
        files = self.files_folder.name
        known = {*self._tables, *(path.name for path in self._root.glob("*/") if path.name != files)}
        having = [host for host in known if tag and self.runner(host).folder(tag).path.exists()]
        return sorted(having or known)

    @property
    def files_folder(self) -> Path:
        """Beside the hosts."""
        return self._root / "files"

    def resolve(self, model: str, folder: Path = Path()) -> str:
        """A model folder's path, which is on this machine, is made absolute."""
        check_packages()
        from ftbridge_local.models.find import resolve

        host, name = self.split(model)
        resolved = resolve(name, self.home, folder)
        return f"{host}/{resolved}" if host != HERE else resolved

    def model_from(self, model: str, remote_id: str, result: Result) -> str:
        """The result, which is brought here, at the same host."""
        host, _, _tag = remote_id.rpartition("/")
        return f"{host}/{super().model_from(model, remote_id, result)}"

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """Send the job folder, and have it begun unless a job of that tag is there."""
        host, name = self.split(model)
        source = self._source(spec, model)
        from ftbridge_local.preparation import prepare

        fill = prepare(spec, name, files, source, self._teacher(spec, source), self.home.absolute(), travels=True)
        with usable(self.home):
            self.runner(host).start(tag, fill)
        return self._known(f"{host}/{tag}")

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        """As every provider; an id without a host is nobody's."""
        return super().poll([remote_id for remote_id in remote_ids if "/" in remote_id])

    def artifacts(self, remote_id: str) -> list[Artifact]:
        """The uploaded files here; and what is kept at the host, as HOST:PATH, its result by where it is here."""
        runner, tag = self._at(remote_id)
        host, job = remote_id.rpartition("/")[0], runner.folder(tag)
        found = uploads_of(job, self.files_folder)
        for one in runner.artifacts(tag):
            name = str(job.result) if one.kind == "model" else f"{host}:{one.name}"
            found.append(one.model_copy(update={"name": name}))
        return found

    def delete(self, artifact: Artifact) -> None:
        """Remove it here and at the host, unless its job is not over."""
        if artifact.kind == "file":
            delete_in(self._root, artifact, self.name)
            return
        if artifact.kind != "model":
            host = artifact.name.partition("/")[0].rpartition(":")[0]  # which may have a port
            path = artifact.name.removeprefix(f"{host}:")
            self.runner(host).delete(artifact.model_copy(update={"name": path}))
            if artifact.kind == "checkpoint":  # which may have been brought here
                Mirror(self._root / host).drop(Path(path).parents[1].name, f"checkpoints/{Path(path).name}")
            return
        host, tag, part = self._part(Path(artifact.name))
        runner = self.runner(host)
        there = [one for one in runner.artifacts(tag) if one.kind == "model"]
        if not there:
            raise NotFound(f"there is no {artifact.name}", provider=self.name, hint="It is deleted already.")
        runner.delete(there[0])
        Mirror(self._root / host).drop(tag, part)

    @property
    def _root(self) -> Path:
        return self.home.absolute() / "runners" / self.name

    def _here(self, model: str) -> str:
        """Without its host; a result or a checkpoint is brought here first."""
        path = Path(model)
        if not path.is_absolute():
            return self.split(model)[1]
        if path.is_relative_to(self._root) and not path.exists():
            host, tag, part = self._part(path)
            self._brought(host, tag, part)
        return model

    def _part(self, path: Path) -> tuple[str, str, str]:
        """The host, the tag and the part of the job folder that a path below the mirrors means."""
        host, *below = path.relative_to(self._root).parts
        _jobs, tag, *part = below[below.index("jobs") :]
        return host, tag, "/".join(part)

    def _at(self, remote_id: str) -> tuple[Runner, str]:
        """Without asking the host, which says by itself that it does not have the job."""
        host, _, tag = remote_id.rpartition("/")
        return self.runner(host), tag

    def _finished(self, remote_id: str) -> JobFolder:
        job = super()._finished(remote_id)
        self._brought(*self._part(job.result))
        return job

    def _brought(self, host: str, tag: str, part: str) -> None:
        from ftbridge_local.models.relocate import name_base_here

        job = self.runner(host).pull(tag, part)
        name_base_here(job.path / part, job, self.home.absolute())

    def _listed(self, host: str, report: JobReport) -> Listed:
        listed = super()._listed(host, report)
        return listed if host == HERE else listed.model_copy(update={"model": f"{host}/{listed.model}"})

    def _split(self, model: str, example: str) -> tuple[str, str]:
        host, _, name = model.partition("/")
        if not (_HOST.fullmatch(host) and name):
            raise TargetError(
                f"{printable(repr(model))} does not name a host and a model",
                hint=f"Write {example}; [runners.NAME] in ftbridge.toml gives any host a name.",
            )
        return host, name


class SshProvider(ElsewhereProvider):
    """Training on a machine that ssh reaches."""

    name: ClassVar[str] = "ssh"
    runner_class = SshTable

    def split(self, model: str) -> tuple[str, str]:
        """HOST/MODEL."""
        return self._split(model, "ssh:HOST/MODEL, such as ssh:gpu-box/Qwen/Qwen3-8B")

    def open_runner(self, host: str, folder: Path) -> Runner:
        """Our own runner of processes, over there."""
        return RemoteRunner(self._link(host), Mirror(folder), TRAIN, {})

    def inspect(self, host: str) -> Iterator[Check]:
        """What there is at the host, and the command that installs what is missing."""
        return _inspect(host, self._link(host))

    def _link(self, host: str) -> SshLink:
        return SshLink(self.name, host, self._tables.get(host) or SshTable())


class SlurmProvider(ElsewhereProvider):
    """Training on a Slurm cluster, from its login node or by ssh."""

    name: ClassVar[str] = "slurm"
    runner_class = SlurmTable

    def split(self, model: str) -> tuple[str, str]:
        """MODEL, or HOST/MODEL where HOST is in the tables, or what follows it is a model by itself."""
        host, _, name = model.partition("/")
        is_model = name == "tiny" or "/" in name or name.startswith((".", "~"))
        if host in self._tables or (is_model and _HOST.fullmatch(host)):
            return self._split(model, "slurm:HOST/MODEL")
        return HERE, model

    def open_runner(self, host: str, folder: Path) -> Runner:
        """A runner here where the table names no host, or at the login node that ssh reaches."""
        table = self._tables.get(host) or SlurmTable()
        if self._is_here(host):
            return SlurmRunner(folder, TRAIN, table.sbatch_options)
        return RemoteRunner(SshLink(self.name, host, table), Mirror(folder), TRAIN, {"slurm": table.sbatch_options})

    def inspect(self, host: str) -> Iterator[Check]:
        """Slurm here, or what there is at the login node."""
        from ftbridge.doctor import Check

        if self._is_here(host):
            yield Check(about="host", state="ok", what=f"{check_slurm()} answers", name=host)
        else:
            yield from _inspect(
                host, SshLink(self.name, host, self._tables.get(host) or SlurmTable()), needs_slurm=True
            )

    def _is_here(self, host: str) -> bool:
        return host == HERE or (host in self._tables and not self._tables[host].host)


def _inspect(host: str, link: SshLink, *, needs_slurm: bool = False) -> Iterator[Check]:
    from ftbridge.doctor import Check

    look = link.look()
    version = ".".join(map(str, look.python))
    gpus = counted(look.gpus, "NVIDIA GPU") if look.gpus else "no NVIDIA GPU"
    found = partial(Check, about="host", name=host)
    yield found(state="ok", what=f"{link.address} answers: Python {version}, {gpus}")
    if look.missing:
        what, fix = f"it has no {', '.join(look.missing)}", link.install_command(look.missing)
        yield found(state="problem", what=what, fix=fix)
    else:
        yield found(state="ok", what="it has the packages that training needs")
    if needs_slurm and not look.has_slurm:
        yield found(state="problem", what="it has no sbatch", fix="Name the login node of a Slurm cluster.")
    what = f"{look.free_gigabytes:,.1f} GB are free for {look.home}"
    yield found(state="note" if look.free_gigabytes < _SMALL else "ok", what=what)
