"""How fast datasets are read, checked and written, as a multiple of merely parsing the JSON.

    python tests/bench/bench_dataset.py [--mb 500] [--repeat 3]

Every figure is CPU seconds of its own process, divided by those of a bare `orjson.loads`
loop over the same file in the same run; the median of the repetitions is shown.
"""

# ruff: noqa: T201  # a script that prints its table
from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
import orjson
import xxhash

from bench.planted import generate
from ftbridge.dataset import Diagnostics, FileLimits, check, convert, prepare
from ftbridge.dataset.canonical.example import Assistant, Chat, Example, Shape, Tool, User
from ftbridge.dataset.reading.source import open_source


class AsItIs:
    """A target that takes the canonical format."""

    target = "same"
    shapes: frozenset[Shape] = frozenset({"chat"})
    limits = FileLimits()

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        return example


class Rebuilt(AsItIs):
    """A target whose rows are built anew: turns with parts, and calls with their arguments as objects."""

    target = "rebuilt"

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        assert isinstance(example, Chat)
        diagnostics.changed("rebuilt")
        contents: list[Any] = []
        row: dict[str, Any] = {"contents": contents}
        for message in example.messages:
            if type(message) is Assistant:
                parts: list[Any] = [{"text": message.content}] if message.content else []
                if message.tool_calls:
                    parts += [
                        {"call": {"name": call.function.name, "args": msgspec.json.decode(call.function.arguments)}}
                        for call in message.tool_calls
                    ]
                contents.append({"role": "model", "parts": parts})
            elif type(message) is User:
                contents.append({"role": "user", "parts": [{"text": message.content}]})
            elif type(message) is Tool:
                answer = {"id": message.tool_call_id, "output": message.content}
                contents.append({"role": "user", "parts": [{"response": answer}]})
            else:
                row["systemInstruction"] = {"parts": [{"text": message.content}]}
        return row


def bare(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            try:  # noqa: SIM105  # contextlib.suppress would cost time on every line
                orjson.loads(line)
            except orjson.JSONDecodeError:
                pass


def checked(path: Path) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for finding in check(path).findings:
        found.setdefault(finding.line, []).append(finding.code)
    return found


def valid(path: Path) -> Path:
    """The file without its invalid rows: no file is written where there are any."""
    return path.with_suffix(".valid.jsonl")


def same(path: Path) -> None:
    done = convert(valid(path), AsItIs(), path.with_suffix(".same"))
    assert not done.impossible


def rebuilt(path: Path) -> None:
    done = convert(valid(path), Rebuilt(), path.with_suffix(".rebuilt"))
    assert not done.impossible


def unique(path: Path) -> None:
    """What `prepare` does before it divides: every valid row once, in its canonical form."""
    seen: set[bytes] = set()
    with open_source(valid(path)) as source, path.with_suffix(".unique").open("wb") as out:
        for _, example in source.examples(Diagnostics()):
            row = msgspec.json.encode(example)
            digest = xxhash.xxh3_128_digest(row)
            if digest not in seen:
                seen.add(digest)
                out.write(row + b"\n")


def prepared(path: Path) -> None:
    prepare(valid(path), path.parent / "prepared")


def together(path: Path) -> None:
    from together.lib.utils.files import check_file

    check_file(valid(path), purpose="fine-tune")  # it stops at the first invalid row


def bare_valid(path: Path) -> None:
    bare(valid(path))


ROUTES: dict[str, Callable[[Path], object]] = {
    "orjson.loads": bare,
    "check": checked,
    "orjson.loads, valid rows": bare_valid,
    "check + same shape": same,
    "check + rebuilt": rebuilt,
    "check + canonical dedupe": unique,
    "check + dedupe, split, shuffle": prepared,
    "together check_file": together,
}

INVALID_TOO = ("orjson.loads", "check")


def measure(route: str, path: Path) -> tuple[float, float]:
    """CPU seconds and the peak of resident memory in MB, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_timed, (route, path))


def _timed(route: str, path: Path) -> tuple[float, float]:
    for earlier in (path.with_suffix(".same"), path.with_suffix(".rebuilt"), path.with_suffix(".unique")):
        earlier.unlink(missing_ok=True)  # removing an old file of 500 MB is not part of writing a new one
    start = time.process_time()
    ROUTES[route](path)
    return time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.jsonl"
        truth = generate(path, arguments.mb * 10**6)
        with path.open("rb") as file, valid(path).open("wb") as copy:
            copy.writelines(line for number, line in enumerate(file, 1) if number not in truth)
        found = checked(path)
        missed = [line for line, code in truth.items() if code not in found.get(line, [])]
        false = [line for line in found if line not in truth]
        print(f"{path.stat().st_size / 1e6:.0f} MB, {len(truth)} planted, {len(missed)} missed, {len(false)} false")
        for line in (missed + false)[:5]:
            print(line, truth.get(line), found.get(line))
        taken: dict[str, list[tuple[float, float]]] = {route: [] for route in ROUTES}
        for _ in range(arguments.repeat):
            for route, results in taken.items():
                results.append(measure(route, path))
    base = {route: statistics.median(cpu for cpu, _ in results) for route, results in taken.items()}
    for route, results in taken.items():
        ratio = base[route] / base["orjson.loads" if route in INVALID_TOO else "orjson.loads, valid rows"]
        print(f"{route:31} {ratio:5.2f} x   {base[route]:6.2f} CPU s   {max(memory for _, memory in results):4.0f} MB")


if __name__ == "__main__":
    main()
