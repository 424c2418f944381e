"""Runs cases of the corpus, each in a process of its own that is measured; prints a line of JSON for each.

    python -m hostile_data.child FOLDER CASE …

Everything is imported once, and each case is a fork of this process: so a case takes hundredths of a second.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ftbridge.cli.app import run
from hostile_data import CASES
from hostile_data.rows import LINE

CPU_SECONDS, SECONDS = 90, 600  # safeguards; the tests are stricter
MEMORY = 3 * 2**30
TARGET = "openai:gpt-4.1-mini-2025-04-14"


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    results = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    (folder / "good.jsonl").write_bytes(LINE)
    for words in commands(str(folder / "good.jsonl"), folder):  # which imports what they need
        run(words)
    for number, case in enumerate(sys.argv[2:]):
        place = folder / str(number)
        place.mkdir(parents=True)
        made = place / "made"
        _forked(partial(_make, case, place, made), place / "log")
        path = made.read_text("utf-8", "surrogateescape") if made.exists() else ""
        for words in commands(path, place):
            measured = _forked(partial(run, words), place / "log")
            text = (place / "log").read_text("utf-8", "replace")
            json.dump({"case": case, "command": words[0], **measured, "text": text[-4000:]}, results)
            results.write("\n")
            results.flush()


def commands(path: str, folder: Path) -> list[list[str]]:
    return [
        ["check", path, "--to", TARGET],
        ["prepare", path, "--out", str(folder / "prepared")],
        ["convert", path, "--to", TARGET, "--out", str(folder / "converted.jsonl")],
    ]


def _make(case: str, place: Path, made: Path) -> int:
    (place / "data").mkdir()
    path = CASES[case](place / "data")
    made.write_text(str(path), "utf-8", "surrogateescape")
    return 0


def _forked(work: Callable[[], int], log: Path) -> dict[str, Any]:
    """Do it in a fork; its exit code (negative: the signal that ended it), CPU seconds, and the most memory in MB."""
    process = os.fork()
    if not process:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        code = 99
        try:
            code = work()
            sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status, used = os.wait4(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "seconds": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss // 1024}


if __name__ == "__main__":
    main()
