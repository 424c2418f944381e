"""The far side of `runners.remote`: one verb on the jobs of this machine, asked and answered over a pipe.

`python -P -m ftbridge_local.runners.far` reads one line of JSON, {"verb": …, "tag": …}, and after it, for `start`, a
job folder as a stream of `carry`. It writes one line that begins with `MARK`, {"value": …} or {"error": …}, and after
it, for `read` and `pull`, the content. `$FTBRIDGE_HOME` is where jobs, base models and tokenized data are here.

Keys that the command needs come in the request, and are in the environment of this process and of the worker only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeAlias

from ftbridge.errors import FtbridgeError, JobNotFound, StateError
from ftbridge.files import PRIVATE_FOLDER, make_folder
from ftbridge_local.command import TRAIN
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.runners.carry import receive, send
from ftbridge_local.runners.look import MARK
from ftbridge_local.runners.process import ProcessRunner
from ftbridge_local.runners.runner import JobReport
from ftbridge_local.runners.slurm import SlurmRunner

_Content: TypeAlias = Callable[[IO[bytes]], object]
_OF_NO_JOB = ("start", "tags", "report", "delete")


def main(stdin: IO[bytes], stdout: IO[bytes]) -> int:
    """Answer one request."""
    line = stdin.readline()
    if not line.endswith(b"\n"):  # the connection was cut: half a request is none
        return 1
    request = json.loads(line)
    os.environ.update(request.get("environment", {}))
    home = Path(os.environ["FTBRIDGE_HOME"])
    rest: _Content = _nothing
    try:
        make_folder(home)
        value, rest = _answer(_runner(home, request), request, stdin)
        answer = {"value": value}
    except FtbridgeError as problem:
        answer = {"error": problem.describe()}
    except OSError as problem:
        trouble = StateError(f"{home} cannot be used: {problem.strerror or problem}", hint="Free some space there.")
        answer = {"error": trouble.describe()}
    stdout.write(f"{MARK}{json.dumps(answer)}\n".encode())
    rest(stdout)
    stdout.flush()
    return 0


def _runner(home: Path, request: Mapping[str, Any]) -> ProcessRunner:
    if "slurm" in request:
        return SlurmRunner(home, TRAIN, request["slurm"])
    return ProcessRunner(home, TRAIN)


def _answer(runner: ProcessRunner, request: Mapping[str, Any], stdin: IO[bytes]) -> tuple[Any, _Content]:
    """What the verb gives: a value for JSON, and what writes the content after it."""
    verb, tag = request["verb"], request.get("tag", "")
    if verb not in _OF_NO_JOB and not runner.folder(tag).exists:
        raise JobNotFound(f"there is no job {tag}", hint="It was deleted there, or never began.")
    if verb == "start":
        runner.start(tag, partial(_fill, stdin))
        return None, _nothing
    if verb == "read":
        content = runner.read(tag, request["name"], request["offset"])
        return len(content), lambda stdout: stdout.write(content)
    if verb == "pull":
        return None, partial(send, runner.folder(tag).path / request["part"])
    return _VALUES[verb](runner, request), _nothing


def _delete(runner: ProcessRunner, request: Mapping[str, Any]) -> None:
    from ftbridge.provider import Artifact  # imported here: it takes as long as all the rest, and polls do without

    runner.delete(Artifact(kind=request["kind"], name=request["name"]))


def _nothing(_stdout: IO[bytes]) -> None:
    pass


def _fill(stdin: IO[bytes], job: JobFolder) -> None:
    try:
        receive(stdin, job.path)
    except ValueError as problem:  # the connection was cut: the job has no state, and so does not exist
        raise StateError(f"the job folder did not arrive: {problem}", hint="Try again.") from problem


def _document(report: JobReport) -> dict[str, Any]:
    return {**report._asdict(), "state": report.state.model_dump_json(exclude_none=True)}


_VALUES: Mapping[str, Callable[[ProcessRunner, Mapping[str, Any]], Any]] = {
    "resume": lambda runner, request: runner.resume(request["tag"]),
    "tags": lambda runner, _request: runner.tags(),
    "report": lambda runner, request: [_document(report) for report in runner.report(request["tags"])],
    "ask": lambda runner, request: runner.ask(request["tag"], request["request"]),
    "end": lambda runner, request: runner.end(request["tag"]),
    "names": lambda runner, request: runner.names(request["tag"], request["folder"]),
    "artifacts": lambda runner, request: [one.model_dump(mode="json") for one in runner.artifacts(request["tag"])],
    "delete": _delete,
}


if __name__ == "__main__":
    os.umask(0o777 - PRIVATE_FOLDER)
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
