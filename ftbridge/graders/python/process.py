"""Running a python grader in a process of its own, one for many rows; a row that ends the process ends only that row.

OpenAI's limits (guide to graders, "Technical constraints", read 2026-11): source below 256 kB, no network, 2 minutes,
2 GB of memory, 1 GB of disk. On Linux the kernel keeps the process from the network, from other processes, from every
file but Python's own, and from writing outside its temporary folder: see `kernel`. On macOS, and on kernels without
Landlock or seccomp, only Python's audit hooks do, which stop mistakes but not malice, and memory may be unlimited:
run graders there only if you trust them. The environment never comes along. Rows share the process, and so the
grader's global variables.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import msgspec

from ftbridge.errors import SpecError
from ftbridge.graders.grade import Grade, RowProblem
from ftbridge.model import Frozen
from ftbridge.wording import printable

MOST_SOURCE_BYTES = 256_000
_LONGEST_ANSWER = 1 << 20  # bytes
_TICK = 0.25  # seconds between two looks at the folder
_START_SECONDS = 30.0
_FULL_WALLS = frozenset({"files", "system calls"})
_ROOT = Path(__file__).parents[3]
_PROGRAM = """
import sys, types
for name, folder in (("ftbridge", sys.argv[1]), ("ftbridge.graders", sys.argv[2])):
    sys.modules[name] = types.ModuleType(name)  # the packages' own files import what costs each process 0.3 seconds
    sys.modules[name].__path__ = [folder]
from ftbridge.graders.python.child import main
main()
"""
_Message = TypeVar("_Message")


class PythonLimits(Frozen):
    """What a python grader may use: OpenAI's limits. Seconds are for each row, and for loading the source."""

    seconds: float = 120.0
    memory_bytes: int = 2 << 30
    file_bytes: int = 256 << 20
    disk_bytes: int = 1 << 30
    printed_characters: int = 1 << 20


class _Ready(msgspec.Struct):
    walls: list[str]


class _Loaded(msgspec.Struct):
    error: str | None


class _Answer(msgspec.Struct):
    id: int
    score: float | None
    error: str | None
    printed: str


class PythonProcess:
    """The process of one source; it starts with the first row, and again after a row that ended it.

    Several threads may use it: it grades one row at a time. `walls` are those that the kernel has put up.
    """

    def __init__(self, source: str, limits: PythonLimits) -> None:
        if len(source.encode("utf-8", "surrogatepass")) > MOST_SOURCE_BYTES:
            raise SpecError(
                f"the source of a python grader is longer than {MOST_SOURCE_BYTES:,} bytes",
                hint="Shorten it: OpenAI has the same limit.",
            )
        self._source, self._limits = source, limits
        self._lock, self._row = Lock(), 0
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._received = b""
        self._broken: str | None = None
        self.walls: frozenset[str] = frozenset()

    @property
    def confined(self) -> bool:
        """Whether the kernel confines the process that is running; without, only Python's audit hooks do."""
        return self.walls >= _FULL_WALLS

    def start(self) -> None:
        """Load the source now. Raises `RowProblem` where that fails, which it then does for every row."""
        with self._lock:
            self._ensure_started()

    def grade(self, item: Mapping[str, Any], sample: Mapping[str, Any]) -> Grade:
        """The score of one row. Raises `RowProblem` where there is none."""
        with self._lock:
            self._ensure_started()
            self._row += 1
            request = msgspec.json.encode({"id": self._row, "item": item, "sample": sample}) + b"\n"
            answer = self._decoded(self._exchange(request, self._limits.seconds), _Answer)
            details = {"printed": answer.printed} if answer.printed else {}
            if answer.id != self._row:
                raise self._ended("it answered for another row")
            if answer.score is None or answer.error is not None:
                error = answer.error or "it gave no score"
                raise RowProblem("python_grader_runtime_error", f"the python grader failed: {error}", details)
            return Grade(score=answer.score, details=details)

    def close(self) -> None:
        """End the process, and remove its folder."""
        with self._lock:
            self._end()

    def _ensure_started(self) -> None:
        if self._broken:
            raise RowProblem("python_grader_runtime_error", self._broken)
        if self._process and self._process.poll() is None:
            return
        self._end()
        self._folder = tempfile.TemporaryDirectory(prefix="ftbridge-grader-", ignore_cleanup_errors=True)
        folder = os.path.realpath(self._folder.name)
        core = _ROOT / "ftbridge"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _PROGRAM, str(core), str(core / "graders")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
        )
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
        settings = {"source": self._source, "folder": folder, **self._limits.model_dump()}
        ready = self._exchange(msgspec.json.encode(settings) + b"\n", _START_SECONDS)
        self.walls = frozenset(self._decoded(ready, _Ready).walls)
        try:
            loaded = self._decoded(self._exchange(b"", self._limits.seconds), _Loaded)
        except RowProblem as problem:
            loaded = _Loaded(str(problem))
        if loaded.error is not None:
            self._broken = f"the source of the python grader cannot be loaded: {loaded.error}"
            self._end()
            raise RowProblem("python_grader_runtime_error", self._broken)

    def _exchange(self, request: bytes, seconds: float) -> bytes:
        """Send a line, if any, and return the next that comes back. Raises `RowProblem`, having ended the process."""
        try:
            return self._wait(request, seconds)
        except BaseException:  # Ctrl-C too: the answer that would still come belongs to no row
            self._end()
            raise

    def _wait(self, request: bytes, seconds: float) -> bytes:
        process, deadline = self._process, time.monotonic() + seconds
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            if request:
                selector.register(process.stdin, selectors.EVENT_WRITE)
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._received:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._ended(f"it took longer than {seconds:g} seconds")
                ready = selector.select(min(left, _TICK))
                if not ready and self._folder_size() > self._limits.disk_bytes:
                    raise self._ended(f"it wrote more than {self._limits.disk_bytes >> 20:,} MiB")
                for key, _ in ready:
                    if key.fileobj is process.stdin:
                        request = self._send(process.stdin.fileno(), request)
                        if not request:
                            selector.unregister(process.stdin)
                    else:
                        self._receive(process.stdout.fileno())
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _send(self, descriptor: int, request: bytes) -> bytes:
        try:
            return request[os.write(descriptor, request[: 1 << 16]) :]
        except BlockingIOError:
            return request
        except BrokenPipeError:
            raise self._ended(None) from None

    def _receive(self, descriptor: int) -> None:
        try:
            received = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return
        if not received:
            raise self._ended(None)
        self._received += received
        if len(self._received) > _LONGEST_ANSWER:
            raise self._ended("its answer has more than 1 MiB")

    def _decoded(self, line: bytes, kind: type[_Message]) -> _Message:
        try:
            return msgspec.json.decode(line, type=kind)
        except (msgspec.MsgspecError, RecursionError):
            raise self._ended(f"its answer cannot be read: {printable(line)}") from None

    def _ended(self, why: str | None) -> RowProblem:
        """The process is over, or ended now: `why`, or what its exit status says."""
        assert self._process is not None
        if why is None:
            try:
                why = _why(self._process.wait(timeout=1), self._limits)
            except subprocess.TimeoutExpired:
                why = "it closed its connection"
        self._end()
        return RowProblem("python_grader_runtime_error", f"the python grader was ended: {why}")

    def _end(self) -> None:
        process, self._process, self._received = self._process, None, b""
        if process:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _folder_size(self) -> int:
        assert self._folder is not None
        total = 0
        for parent, _, files in os.walk(self._folder.name):
            for file in files:
                try:
                    total += (Path(parent) / file).lstat().st_blocks * 512
                except OSError:
                    continue  # it is gone again
        return total


def _environment(folder: str) -> dict[str, str]:
    """All that the process has: nothing of ours, and one thread for libraries that start many."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": folder, "TMPDIR": folder, **threads}


def _why(status: int, limits: PythonLimits) -> str:
    if status >= 0:
        return f"it ended its process with status {status}"
    if -status == signal.SIGXCPU:
        return f"it used more than {limits.seconds:g} seconds of CPU time"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"its process died of {name}"
