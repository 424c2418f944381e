"""What it costs to watch ten thousand jobs: requests, CPU and memory, beside one GET per job by the vendor's SDK.

    python tests/bench/bench_watch.py [--jobs 10000] [--looks 5]

A look is what `ftbridge watch` does at each round of a provider: read the ledger, poll all jobs, read
the events of some that run, and ask the ledger what is new. The vendor is a server in a process of its
own whose answers are those of the mocked vendor for one running job, repeated under other ids. Each
vendor is measured in a fresh process; CPU is that of the watching process alone, the median of the looks.
"""

# ruff: noqa: T201  # a script that prints its table
from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx
from pydantic import SecretStr
from sqlalchemy import insert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ftbridge.jobs.polling import EventBudget, poll_jobs
from ftbridge.ledger import Ledger, Prepared, unfinished
from ftbridge.ledger import summaries as summaries
from ftbridge.ledger.schema import jobs as jobs_table
from ftbridge.loopback import LoopbackServer, listen, serve
from ftbridge.model import Latest, Spec, Status, now
from ftbridge.plugins import load_mock, load_provider, read_faults
from ftbridge.provider import Files, Provider
from ftbridge.provider.connection import Connection
from ftbridge.target import Target


class Vendor(NamedTuple):
    """Where a vendor's jobs are, and how it names the page that is wanted."""

    model: str
    jobs: str
    page: Callable[[Request, int], tuple[int, int]]
    frame: str


VENDORS = {
    "openai": Vendor(
        "gpt-4.1-mini-2025-04-14",
        "/v1/fine_tuning/jobs",
        lambda request, _count: (_after(request.query_params.get("after", "")), int(request.query_params["limit"])),
        '{"object": "list", "data": [%s], "has_more": %s}',
    ),
    "mistral": Vendor(
        "open-mistral-nemo",
        "/v1/fine_tuning/jobs",
        lambda request, _count: (
            int(request.query_params["page"]) * int(request.query_params["page_size"]),
            int(request.query_params["page_size"]),
        ),
        '{"object": "list", "data": [%s], "total": %s}',
    ),
    "together": Vendor("Qwen/Qwen3-8B", "/v1/fine-tunes", lambda _request, count: (0, count), '{"data": [%s]}%.0s'),
}


def _after(job_id: str) -> int:
    return int(job_id[-8:]) + 1 if job_id else 0


class Measured(NamedTuple):
    requests: float
    ms_per_job: float
    memory_mb: float
    ms_per_get: float


def job_ids(one: str, count: int) -> list[str]:
    """Ids like `one`, numbered at their ends."""
    return [f"{one[:-8]}{number:08}" for number in range(count)]


def running_job(vendor: str, folder: Path) -> tuple[str, str, dict[str, str]]:
    """Of a job that runs at the mocked vendor: its id, and the answers to listing it, getting it, and following it."""
    row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    file = folder / "rows.jsonl"
    file.write_text(12 * (json.dumps(row) + "\n"), "utf-8")
    mock = load_mock(vendor)(folder / "mock", speed=600.0, faults=read_faults(["create_job=stall"]))
    known = VENDORS[vendor]
    with LoopbackServer(mock.app()) as server, httpx.Client(headers={"authorization": "Bearer key"}) as client:
        provider = open_provider(vendor, folder, server.url + mock.base_path)
        spec = Spec(target=f"{vendor}:{known.model}", data=file)
        made = provider.create(spec, known.model, Files(training=provider.upload(file, key="k")), tag="ftb_bench")
        while next(iter(provider.poll([made.remote_id]))).status is not Status.RUNNING:
            time.sleep(0.05)
        provider.close()
        listed = client.get(server.url + known.jobs, params={"limit": 1, "page": 0, "page_size": 1}).json()["data"][0]
        one = f"{server.url}{known.jobs}/{made.remote_id}"
        answers = {path: client.get(one + path).text for path in ("", "/events", "/metrics")}
    return made.remote_id, json.dumps(listed), answers


def open_provider(vendor: str, home: Path, base_url: str) -> Provider:
    made = type(load_provider(Target(vendor, ""), home))
    return made(home, Connection(base_url=base_url, api_key=SecretStr("key"), account="bench"))


def be_vendor(vendor: str, count: int, pipe: Pipe) -> None:
    """Serve `count` running jobs until killed; GET /count tells how many requests there were since the last of it."""
    known = VENDORS[vendor]
    with tempfile.TemporaryDirectory() as folder:
        one, listed, answers = running_job(vendor, Path(folder))
    bodies = [listed.replace(one, other) for other in job_ids(one, count)]
    asked = 0

    def answer(text: str) -> Response:
        nonlocal asked
        asked += 1
        return Response(text, media_type="application/json")

    async def list_jobs(request: Request) -> Response:
        start, size = known.page(request, count)
        rest = str(count) if vendor == "mistral" else json.dumps(start + size < count)
        return answer(known.frame % (", ".join(bodies[start : start + size]), rest))

    async def get_job(request: Request) -> Response:
        job_id, slash, rest = request.url.path.removeprefix(known.jobs + "/").partition("/")
        return answer(answers[slash + rest].replace(one, job_id))

    async def tell_count(_request: Request) -> Response:
        nonlocal asked
        told, asked = asked, 0
        return Response(str(told))

    routes = [
        Route("/count", tell_count),
        Route(known.jobs, list_jobs),
        Route(known.jobs + "/{rest:path}", get_job),
    ]
    listening = listen(0)
    pipe.send((listening.getsockname()[1], one, json.loads(listed)["status"]))
    serve(Starlette(routes=routes), listening)


def fill(ledger: Ledger, vendor: str, remote_ids: list[str], word: str) -> None:
    target = f"{vendor}:{VENDORS[vendor].model}"
    spec, latest = Spec(target=target, data=Path("rows.jsonl")), Latest()
    at = now().isoformat()
    same = {
        "target": target,
        "status": Status.RUNNING,
        "raw_status": word,
        "request_hash": "h",
        "spec": spec.model_dump_json(),
        "prepared": Prepared(training="k").model_dump_json(),
        "latest": latest.model_dump_json(),
        "created_at": at,
        "posted_at": at,
        "progress_at": at,
        "last_cursor": "",
        "version": 0,
    }
    rows = [{"id": f"ftb_{number:08}", "remote_id": remote_id, **same} for number, remote_id in enumerate(remote_ids)]
    with ledger.writing() as connection:
        connection.execute(insert(jobs_table), rows)


def watch(vendor: str, count: int, looks: int, told: tuple[int, str, str], pipe: Pipe) -> None:
    """Look at all jobs again and again, and then get some of them one by one."""
    port, one, word = told
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        fill(ledger, vendor, job_ids(one, count), word)
        base = url + load_mock(vendor).base_path
        provider = open_provider(vendor, Path(folder), base)
        turns, versions = EventBudget(), {f"ftb_{number:08}": -1 for number in range(count)}

        def one_look() -> None:
            poll_jobs(unfinished(ledger), provider, ledger, turns)
            versions.update({glance.id: glance.version for glance in summaries(ledger, versions)})

        one_look()  # opens the connection
        httpx.get(f"{url}/count")
        seconds = [_cpu(one_look) for _look in range(looks)]
        requests = int(httpx.get(f"{url}/count").text) / looks
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        some = job_ids(one, min(count, 1000))
        gets = _cpu(lambda: [list(provider.poll([job_id])) for job_id in some])
        ledger.close()
    pipe.send(Measured(requests, 1000 * median(seconds) / count, memory, 1000 * gets / len(some)))


def _cpu(run: Callable[[], object]) -> float:
    before = time.process_time()
    run()
    return time.process_time() - before


def measure(vendor: str, count: int, looks: int) -> Measured:
    fresh = multiprocessing.get_context("spawn")
    here, there = fresh.Pipe()
    server = fresh.Process(target=be_vendor, args=(vendor, count, there), daemon=True)
    server.start()
    watcher = fresh.Process(target=watch, args=(vendor, count, looks, here.recv(), there), daemon=True)
    watcher.start()
    while not here.poll(1.0):
        if not watcher.is_alive():
            raise SystemExit(f"the watcher of {vendor} died")
    measured: Measured = here.recv()
    watcher.join()
    server.kill()
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--looks", type=int, default=5)
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{asked.jobs:,} running jobs, {asked.looks} looks; goals: requests <= 110, CPU <= 0.2 ms a job, < 150 MB")
    print(f"{'':10} {'requests':>9} {'CPU ms/job':>11} {'memory MB':>10} {'GET ms/job':>11} {'GETs / look':>12}")
    for vendor in VENDORS:
        found = measure(vendor, asked.jobs, asked.looks)
        print(
            f"{vendor:10} {found.requests:9.0f} {found.ms_per_job:11.3f} {found.memory_mb:10.0f}"
            f" {found.ms_per_get:11.3f} {found.ms_per_get / found.ms_per_job:11.1f}×"
        )


if __name__ == "__main__":
    main()
