"""The program of a Hugging Face job: `python -P -m ftbridge_local.hugging_face.mounted MOUNT TAG PLAN`, a plan in JSON.

It trains in a copy of the mounted job folder, on the machine's own disk, and brings back what changes every few
seconds, whole files one after the other and the state last: a mounted bucket has no locks, and is not one to append to.
It installs what is missing in the image, asks the trainer to pause before the job's time is over, and leaves the job to
an older one of the same tag. It starts before any package is there, so it uses the standard library alone.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

LABEL = "ftbridge"
"""The label with the tag."""
STATUS, REQUEST, KEPT = "status.json", "request", "kept.json"
CHECKPOINTS = "checkpoints"
_HERE_ONLY = (STATUS, REQUEST, KEPT, "worker.lock", "disk-full.json")
_LAST_SECONDS = 300.0  # of the job's time, in which the trainer saves its state; at most a tenth of it
_LAST_TRIES = 12
_TIMEOUT = 30.0


class Plan(NamedTuple):
    """The job's time, and after how long files are brought back, in seconds; who owns it; what to install, by name."""

    seconds: float
    every: float
    namespace: str
    packages: Mapping[str, str]


def main(mount: Path, tag: str, plan: Plan) -> int:
    """Work on the job to its end. The exit code is that of the trainer."""
    begun = time.monotonic()
    if older := _older_job(tag, plan.namespace):
        _tell(f"job {older} works on {tag} already")
        return 0
    _install(plan.packages)
    job = Path(tempfile.mkdtemp()) / tag
    seen = bring_in(mount, job)
    environment = {"FTBRIDGE_HOME": str(job.parent / "home"), **os.environ}  # an image may have bases
    command = [sys.executable, "-P", "-W", "ignore", "-m", "ftbridge_local.trainer", str(job)]
    with (job / "worker.log").open("ab") as log:
        trainer = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    signal.signal(signal.SIGTERM, lambda *_: trainer.terminate())  # it pauses
    pauses_at = begun + plan.seconds - min(_LAST_SECONDS, plan.seconds / 10)
    while not _ends(trainer, plan.every):
        if time.monotonic() > pauses_at:
            (job / REQUEST).write_text("pause")
            pauses_at = float("inf")
        _pass_on(mount / REQUEST, job / REQUEST)
        try:
            bring_back(job, mount, seen)
        except OSError as problem:  # it is tried again with the next one
            _tell(f"the mounted bucket cannot be written: {problem}")
    _bring_all_back(job, mount, seen, plan.every)
    if trainer.returncode:
        _tell((job / "worker.log").read_text("utf-8", "replace")[-2000:])
    return abs(trainer.wait())


def bring_in(mount: Path, job: Path) -> dict[str, tuple[int, int]]:
    """Copy the mounted folder, without checkpoints that did not get there whole; what is known of the files then."""
    kept = json.loads((mount / KEPT).read_text()) if (mount / KEPT).exists() else []
    for source in sorted(mount.rglob("*")):
        name = source.relative_to(mount)
        is_part = name.parts[0] == CHECKPOINTS and (len(name.parts) < 2 or name.parts[1] not in kept)
        if source.is_file() and not is_part and name.name not in (REQUEST, KEPT):
            (job / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(source, job / name)
    return _files(job)


def bring_back(job: Path, mount: Path, seen: dict[str, tuple[int, int]]) -> None:
    """Copy what has changed since it was `seen`, remove what is gone, and then replace the state as it was before."""
    status = (job / STATUS).read_bytes()
    present = _files(job)
    for name in sorted(present, key=lambda name: (name == "events.jsonl", name)):  # events tell of what is there
        if seen.get(name) != present[name]:
            (mount / name).parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(job / name, mount / name)
            except FileNotFoundError:  # removed meanwhile
                continue
            seen[name] = present[name]
    kept = json.dumps(sorted({Path(name).parts[1] for name in present if name.startswith(f"{CHECKPOINTS}/")}))
    _replace(mount / KEPT, kept.encode())
    for name in sorted(seen.keys() - present.keys()):
        (mount / name).unlink(missing_ok=True)
        del seen[name]
    _replace(mount / STATUS, status)


def _files(job: Path) -> dict[str, tuple[int, int]]:
    """The size and the time of each file that is brought back; one with a dot is not complete yet."""
    found = {}
    for path in job.rglob("*"):
        name = path.relative_to(job)
        is_ours = len(name.parts) == 1 and name.name in _HERE_ONLY
        if is_ours or name.parts[0] == "processes" or any(part.startswith(".") for part in name.parts):
            continue
        try:
            if path.is_file():
                known = path.stat()
                found[name.as_posix()] = (known.st_size, known.st_mtime_ns)
        except FileNotFoundError:
            continue
    return found


def _bring_all_back(job: Path, mount: Path, seen: dict[str, tuple[int, int]], every: float) -> None:
    for left in reversed(range(_LAST_TRIES)):
        try:
            bring_back(job, mount, seen)
        except OSError:
            if not left:
                raise
            time.sleep(every)
        else:
            return


def _replace(file: Path, content: bytes) -> None:
    if not file.exists() or file.read_bytes() != content:
        file.write_bytes(content)


def _pass_on(request: Path, here: Path) -> None:
    if request.exists() and not here.exists():
        shutil.copyfile(request, here)


def _ends(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _install(packages: Mapping[str, str]) -> None:
    """Install the packages that are missing; what to install for each is known by its name."""
    missing = [requirement for name, requirement in packages.items() if find_spec(name) is None]
    if missing:
        environment = {name: value for name, value in os.environ.items() if not name.endswith("TOKEN")}
        command = [sys.executable, "-m", "pip", "install", "--quiet", *missing]
        subprocess.run(command, check=True, env=environment)


def _older_job(tag: str, namespace: str) -> str:
    """The id of another job of the tag that is active and was created before this one; "" where there is none.

    Without a token or its own id, of which the hub tells it, a job cannot look.
    """
    own, token = os.environ.get("JOB_ID"), os.environ.get("HF_TOKEN")
    if not (own and token):
        return ""
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    url = f"{endpoint}/api/jobs/{namespace}?label={LABEL}%3D{tag}&stage=SCHEDULING&stage=RUNNING"
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})  # noqa: S310 - https, or tests
    for left in (2, 1, 0):
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 - likewise
                jobs = sorted((job["createdAt"], job["id"]) for job in json.load(answer))
        except (OSError, ValueError):
            if not left:
                raise  # it might be the second of two
            time.sleep(2)
        else:
            before = [job_id for _created, job_id in jobs]
            return before[0] if before and before[0] != own and own in before else ""
    return ""


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], Plan(**json.loads(sys.argv[3]))))
