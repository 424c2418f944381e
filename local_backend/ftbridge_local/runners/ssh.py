"""The link by the system's own ssh: the user's config, agent, jump hosts and known hosts hold.

All calls share one connection, which stays open for a minute after the last of them.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

from ftbridge.errors import BadAnswer, FtbridgeError, MissingExtra, NetworkError, NotReached, UsageError
from ftbridge.provider.unreadable import reading
from ftbridge_local.runners.look import MARK, Look, install_command, look_program, put_program
from ftbridge_local.runners.ship import trainer
from ftbridge_local.runners.tables import SshTable

_LINES = 1000  # that a login shell may write before the answer
_OPTIONS = (
    "BatchMode=yes",  # a question would wait for ever
    "ConnectTimeout=15",  # seconds
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
    "ControlMaster=auto",
    "ControlPersist=60",
)
_BROKEN, _NO_COMMAND = 255, (126, 127)  # what ssh itself, and a shell, end with


class SshLink:
    """Calls to the far side on `host`, as `table` says."""

    def __init__(self, provider: str, host: str, table: SshTable) -> None:
        self.provider = provider
        self.address = table.host or host
        self._table = table
        self._look: Look | None = None
        self._getting_ready = Lock()

    @contextmanager
    def call(
        self, request: Mapping[str, Any], write: Callable[[IO[bytes]], None] | None = None
    ) -> Iterator[tuple[dict[str, Any], IO[bytes]]]:
        """As every link."""
        look = self._prepare_once()

        def feed(stdin: IO[bytes]) -> None:
            stdin.write(json.dumps(request).encode() + b"\n")
            if write:
                write(stdin)

        environment = [f"FTBRIDGE_HOME={look.home}", f"PYTHONPATH={look.home}/{trainer()[0]}"]
        words = ["env", *environment, "PYTHONWARNINGS=ignore", "PYTHONUTF8=1"]
        far = f"{shlex.join(words)} {_shell_path(self._table.python)} -P -m ftbridge_local.runners.far"
        with self._run(f"umask 077; exec {far}", feed, NetworkError) as (answer, stream):
            yield answer, stream

    def look(self) -> Look:
        """What is there. Raises `NotReached` where the host cannot be reached, and `UsageError` without Python."""
        look = Look.model_validate(self._program(look_program(self._table.folder)))
        if look.is_too_old:
            version = ".".join(map(str, look.python))
            raise UsageError(f"{self._table.python} on {self.address} is Python {version}", hint=_ANOTHER_PYTHON)
        return look

    def install_command(self, missing: tuple[str, ...]) -> str:
        """What to type here to install the packages there."""
        there = install_command(self._table.python, missing)
        quoted = f'"{there}"' if not set(there) & set('"$`\\') else shlex.quote(there)
        return f"{shlex.join([*self._ssh(shared=False), self.address])} {quoted}"

    def set_up(self) -> None:
        """Run the table's `setup` there. Raises `UsageError` where it fails."""
        folder = _shell_path(self._table.folder)
        command = f"umask 077; mkdir -p {folder} && cd {folder} && {{ {self._table.setup}\n}} >&2 && echo '{MARK}null'"
        try:
            with self._run(command, lambda _stdin: None, NotReached):
                pass
        except BadAnswer as problem:
            what = f"the setup of {self.address} failed: {problem.message}"
            raise UsageError(what, hint="Correct setup in [runners.NAME] of ftbridge.toml.") from problem

    def ready(self) -> None:
        """Make sure that the trainer is there."""
        self._prepare_once()

    def _prepare_once(self) -> Look:
        with self._getting_ready:
            if self._look is None:
                self._look = self._prepared()
            return self._look

    def _prepared(self) -> Look:
        look = self.look() if not self._table.setup else self._look_after_setup()
        if look.missing:
            raise MissingExtra(
                f"{self._table.python} on {self.address} has no {', '.join(look.missing)}",
                hint=f"Run {self.install_command(look.missing)}",
            )
        if not look.has_trainer:
            self._program(put_program(self._table.folder))
        return look

    def _look_after_setup(self) -> Look:
        """What is there, once the setup was run if it had to be; it may make the Python that looks."""
        with suppress(UsageError):
            look = self.look()
            if not look.missing:
                return look
        self.set_up()
        return self.look()

    def _program(self, text: str) -> Any:
        """What a program, run by the Python there, prints."""
        python = f"exec {_shell_path(self._table.python)} -"
        with self._run(python, lambda stdin: stdin.write(text.encode()), NotReached) as (answer, _stream):
            return answer

    @contextmanager
    def _run(
        self, command: str, feed: Callable[[IO[bytes]], object], broken: type[NetworkError]
    ) -> Iterator[tuple[Any, IO[bytes]]]:
        """A shell command there that answers; `broken` is raised where the connection fails."""
        words = [*self._ssh(), "--", self.address, f"exec sh -c {shlex.quote(command)}"]
        # a session of its own: Ctrl-C, which ends this process, leaves a call that was sent to its end
        pipe = subprocess.PIPE
        with (
            tempfile.TemporaryFile() as stderr,
            subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=stderr, start_new_session=True) as process,
        ):
            assert process.stdin
            assert process.stdout
            feeding = Thread(target=partial(_feed, process.stdin, feed), daemon=True)
            feeding.start()
            answer = _answer(process.stdout)
            if answer is None:
                process.stdout.close()
                feeding.join()
                raise self._problem(process.wait(), _last_line(stderr), broken)
            try:
                yield self._decoded(answer), process.stdout
            finally:
                process.stdout.close()
                feeding.join()

    def _decoded(self, answer: bytes) -> Any:
        with reading(self.provider):
            return json.loads(answer)

    def _problem(self, code: int, said: str, broken: type[NetworkError]) -> FtbridgeError:
        if code in _NO_COMMAND:
            return UsageError(f"{self._table.python} cannot be run on {self.address}: {said}", hint=_ANOTHER_PYTHON)
        if code == _BROKEN or code < 0:
            by_hand = shlex.join([*self._ssh(shared=False), self.address, "true"])
            return broken(
                f"{self.address} cannot be reached by ssh: {said or 'the connection broke'}",
                hint=f"Once `{by_hand}` works without a question, try again.",
            )
        what = f"{self.address} ended the call with exit code {code}: {said}"
        return BadAnswer(what, provider=self.provider, hint="`ftbridge doctor` with this target may say more.")

    def _ssh(self, *, shared: bool = True) -> list[str]:
        program = shutil.which("ssh")
        if program is None:
            raise MissingExtra("there is no ssh on this machine", hint="Install OpenSSH's client, openssh-client.")
        config = ["-F", str(self._table.ssh_config)] if self._table.ssh_config else []
        if not shared:
            return ["ssh", *config]
        options = [word for one in (*_OPTIONS, f"ControlPath={_control_folder()}/%C") for word in ("-o", one)]
        return [program, *config, "-T", "-a", "-x", *options]


_ANOTHER_PYTHON = 'Set python = "PATH" in [runners.NAME] of ftbridge.toml to a Python of 3.11 or newer there.'


def _feed(stdin: IO[bytes], feed: Callable[[IO[bytes]], object]) -> None:
    with suppress(BrokenPipeError), stdin:  # the other end says why
        feed(stdin)


def _answer(stdout: IO[bytes]) -> bytes | None:
    """The JSON of the answer, or `None` where there is none."""
    for _ in range(_LINES):
        line = stdout.readline()
        if line.startswith(MARK.encode()) and line.endswith(b"\n"):
            return line.removeprefix(MARK.encode())
        if not line:
            break
    return None


def _last_line(file: IO[bytes]) -> str:
    file.seek(0)
    lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


def _shell_path(path: str) -> str:
    """The path for a shell there, where `~/` is the home folder."""
    return f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)


def _control_folder() -> Path:
    """Where the shared connections are: a private folder with a short name, since sockets take no long ones."""
    folder = Path("/tmp", f"ftbridge-{os.getuid()}")  # noqa: S108 - it is made sure that it is one's own
    with suppress(FileExistsError):
        folder.mkdir(0o700)
    known = folder.lstat()
    if not stat.S_ISDIR(known.st_mode) or known.st_uid != os.getuid() or known.st_mode & 0o077:
        raise UsageError(f"{folder} is not a private folder of yours", hint="Remove it, or have it removed.")
    return folder
