"""The program of the process that runs python graders: it reads rows from its input, and writes their scores.

The first line of the input is the `settings`. Nothing of ftbridge's environment, and no open file, comes along.
"""

from __future__ import annotations

import io
import json
import math
import numbers
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from ftbridge.graders.python.hooks import install_hook
from ftbridge.graders.python.kernel import build_walls

_LONGEST_MESSAGE = 500  # characters
_LONGEST_KEPT = 2_000  # characters of what a grader prints
_READABLE = (
    *("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/usr/local/lib"),
    *("/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom"),
    *("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu"),
)
"""What libraries read, besides Python's own folders."""


class TooMuchPrinted(Exception):  # noqa: N818 - as the built-in exceptions that end an attempt
    """The grader has printed more than it may."""


class _Printed(io.TextIOBase):
    """Standard output and error of one row: its beginning is kept."""

    def __init__(self, most: int) -> None:
        self.most, self.written, self.kept = most, 0, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        self.written += len(text)
        self.kept += text[: _LONGEST_KEPT - len(self.kept)]
        if self.written > self.most:
            raise TooMuchPrinted
        return len(text)


def main() -> None:
    """Put up the walls, load the source, and grade rows until the input ends."""
    rows, answers = _own_streams()
    settings = json.loads(rows.readline())

    def answer(**fields: Any) -> None:
        answers.write(json.dumps(fields).encode() + b"\n")
        answers.flush()

    readable = {*_READABLE, sys.prefix, sys.base_prefix, sys.exec_prefix}
    _set_limits(settings)
    walls = build_walls(settings["folder"], readable)
    install_hook(settings["folder"], readable, ctypes_too=not {"files", "system calls"} <= set(walls))
    answer(walls=walls)
    _limit_seconds(settings["seconds"])
    grade, error, _ = _guarded(lambda: _load(settings["source"]), settings)
    answer(error=error)
    if error:
        return
    for line in rows:
        row = json.loads(line)
        _limit_seconds(settings["seconds"])
        score, error, printed = _guarded(lambda given=row: _score(grade(given["sample"], given["item"])), settings)  # type: ignore[misc]
        answer(id=row["id"], score=score, error=error, printed=printed)


def _own_streams() -> tuple[io.BufferedReader, io.BufferedWriter]:
    """Input and output for this file alone: what a grader reads or writes there goes nowhere."""
    rows, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    return rows, answers


def _set_limits(settings: dict[str, Any]) -> None:
    _limit(resource.RLIMIT_AS, settings["memory_bytes"])
    _limit(resource.RLIMIT_FSIZE, settings["file_bytes"])
    _limit(resource.RLIMIT_NOFILE, 64)
    _limit(resource.RLIMIT_CORE, 0)


def _limit(kind: int, most: int) -> None:
    try:
        resource.setrlimit(kind, (most, most))
    except (ValueError, OSError):
        return  # macOS knows no limit of address space; lower limits than ours are the system's own


def _limit_seconds(seconds: float) -> None:
    """End this process if one row uses so much time that whoever started it cannot be there any more."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(usage.ru_utime + usage.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _load(source: str) -> Callable[[Any, Any], Any]:
    names: dict[str, Any] = {"__name__": "grader"}
    exec(compile(source, "grader.py", "exec"), names)  # noqa: S102 - it is what this process is for
    grade = names.get("grade")
    if not callable(grade):
        raise TypeError("the source has no function grade(sample, item)")
    return grade  # type: ignore[no-any-return]


def _score(value: Any) -> float:
    if not isinstance(value, numbers.Real):
        raise TypeError(f"it returned {_short(value)}, which is no number")
    if not math.isfinite(value):
        raise ValueError(f"it returned {_short(value)}, which is no finite number")
    return float(value)


def _guarded(call: Callable[[], Any], settings: dict[str, Any]) -> tuple[Any, str | None, str]:
    """What the call returns, or what went wrong in it, and what it printed."""
    printed = _Printed(settings["printed_characters"])
    sys.stdout = sys.stderr = printed
    value, error = None, None
    try:
        value = call()
    except TooMuchPrinted:
        pass
    except MemoryError:
        error = f"it needs more than {settings['memory_bytes'] >> 20:,} MiB of memory"
    except BaseException as problem:
        error = _described(problem)
    if printed.written > printed.most:
        value, error = None, f"it printed more than {printed.most:,} characters"
    return value, error, printed.kept


def _described(problem: BaseException) -> str:
    try:
        where = ""
        trace = problem.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "grader.py":
                where = f"line {trace.tb_lineno}: "
            trace = trace.tb_next
        if isinstance(problem, SyntaxError):
            return f"line {problem.lineno}: SyntaxError: {problem.msg}"[:_LONGEST_MESSAGE]
        if where or not isinstance(problem, TypeError | ValueError):
            return f"{where}{type(problem).__name__}: {problem}"[:_LONGEST_MESSAGE]
        return str(problem)[:_LONGEST_MESSAGE]
    except BaseException:
        return "it raised an exception that cannot be shown"


def _short(value: Any) -> str:
    return repr(value)[:60]
