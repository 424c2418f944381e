"""Processes that read parts of a file: fresh ones, which know neither the command that they work for nor its keys."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any, TypeVar

from ftbridge.errors import InputError
from ftbridge.foreign.redaction import is_secret_name, is_secret_value

T = TypeVar("T")
_Process = subprocess.Popen[bytes]

_MAIN = "from ftbridge.dataset.reading.processes import serve; serve()"


def run_in_processes(work: Callable[..., T], workers: int, *inputs: Iterable[Any]) -> Iterator[T]:
    """The results of `work`, in the order of its `inputs`, from as many processes: the one function that starts any.

    With one worker, and where `work` needs what only the main program has, this process does it. Raises `InputError`
    where a process is killed, and whatever `work` raises.
    """
    if workers == 1 or b"__main__" in pickle.dumps(work):
        yield from map(work, *inputs)
        return
    idle: SimpleQueue[_Process] = SimpleQueue()

    def call(*arguments: Any) -> T:
        process = idle.get()
        try:
            return _result(process, work, arguments)
        finally:
            idle.put(process)

    with ExitStack() as opened:
        pool = opened.enter_context(ThreadPoolExecutor(workers))  # a thread waits for each process
        for _ in range(workers):
            process = opened.enter_context(_start())
            opened.callback(process.kill)
            idle.put(process)
        yield from pool.map(call, *inputs)


def serve() -> None:
    """Do what another process asks for on standard input, call by call, and write each result to standard output."""
    calls, results = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a converter prints is no result
    try:
        while True:
            work, arguments = pickle.load(calls)  # noqa: S301  # from the process that has started this one
            pickle.dump(_outcome(work, arguments), results, pickle.HIGHEST_PROTOCOL)
            results.flush()
    except (EOFError, KeyboardInterrupt, BrokenPipeError):  # the other process has ended, or is about to
        os._exit(0)


def _start() -> _Process:
    environment = {
        name: value for name, value in os.environ.items() if not is_secret_name(name) and not is_secret_value(value)
    }
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # it finds ftbridge where this process did
    command = [sys.executable, "-P", "-c", _MAIN]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


def _outcome(work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    try:
        return work(*arguments), None
    except Exception as problem:
        return None, problem


def _result(process: _Process, work: Callable[..., T], arguments: tuple[Any, ...]) -> T:
    assert process.stdout
    try:
        _send(process, (work, arguments))
        outcome: tuple[T, Exception | None] = pickle.load(process.stdout)  # noqa: S301  # from the process that was started for it
    except (EOFError, OSError, pickle.UnpicklingError):
        raise InputError(
            "a process that was reading a part of the file was killed",
            hint="If memory is short, give fewer workers.",
        ) from None
    result, problem = outcome
    if problem:
        raise problem
    return result


def _send(process: _Process, what: Any) -> None:
    assert process.stdin
    pickle.dump(what, process.stdin, pickle.HIGHEST_PROTOCOL)
    process.stdin.flush()
