"""What the commands for datasets take, beside a loop that merely parses the JSON, and beside Together's own check.

    python tests/bench/bench_dataset.py [--mb 139 500] [--repeat 3]

Every figure is of a command in a process of its own, as a user runs it, with the processes that it starts. CPU seconds
above those of the same command on ten rows are divided by those of the loop above those of an empty one, all in the
same run; the least of the repetitions counts. `--workers 1` is what is compared; the clock's seconds of all cores are
beside it.
"""

# ruff: noqa: T201  # a script that prints its table
from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.planted import generate

TARGET = "openai:gpt-4.1-mini-2025-04-14"
OTHER = "together:Qwen/Qwen3-8B"
LOOP = "import orjson, sys\nfor line in open(sys.argv[1], 'rb'):\n    orjson.loads(line)"
TOGETHER = (
    "import sys; from pathlib import Path; from together.lib.utils.files import check_file\n"
    "assert check_file(Path(sys.argv[1]), purpose='fine-tune')['is_check_passed']"
)


class Command(NamedTuple):
    """What is typed: its words, of which DATA and OUT are replaced. `divisible`: it takes `--workers`."""

    name: str
    words: list[str]
    divisible: bool = True
    pairs: bool = False
    """Whether it reads the file of turns by human and gpt."""


def ftbridge(*words: str) -> list[str]:
    return ["-m", "ftbridge", *words]


BASE = Command("orjson.loads", ["-c", LOOP, "DATA"], divisible=False)
COMMANDS = (
    BASE,
    Command("check", ftbridge("check", "DATA")),
    Command("check --no-advice", ftbridge("check", "DATA", "--no-advice")),
    Command("check --to", ftbridge("check", "DATA", "--to", TARGET)),
    Command("convert, rows as they are", ftbridge("convert", "DATA", "--to", TARGET, "--out", "OUT/rows.jsonl")),
    Command(
        "convert, every row rebuilt", ftbridge("convert", "DATA", "--to", TARGET, "--out", "OUT/r.jsonl"), pairs=True
    ),
    Command("prepare", ftbridge("prepare", "DATA", "--out", "OUT/prepared")),
    Command(
        "compare, two targets", ftbridge("compare", "DATA", "--to", TARGET, "--to", "together:Qwen/Qwen3-8B"), False
    ),
    Command("submit to mock+openai", ftbridge("submit", "DATA", "--to", f"mock+{TARGET}"), divisible=False),
    Command("together check_file", ["-c", TOGETHER, "DATA"], divisible=False),
)


class Taken(NamedTuple):
    """CPU seconds, seconds of the clock, and MB of memory at the peak of the largest process."""

    cpu: float
    wall: float
    memory: float


def run(words: list[str], data: Path) -> Taken:
    """Run one command in an empty home."""
    with tempfile.TemporaryDirectory(dir=data.parent) as folder:
        environment = {**os.environ, "FTBRIDGE_HOME": f"{folder}/home"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has been compiled once
        replaced = [word.replace("DATA", str(data)).replace("OUT", folder) for word in words]
        began = time.monotonic()
        process = subprocess.Popen([sys.executable, *replaced], env=environment, stdout=subprocess.DEVNULL, stderr=-1)
        errors = process.stderr.read() if process.stderr else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, errors.decode()
        return Taken(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024)


def least(runs: list[Taken]) -> Taken:
    return Taken(min(one.cpu for one in runs), min(one.wall for one in runs), max(one.memory for one in runs))


def files(folder: Path, size: int) -> tuple[Path, Path]:
    """A file of chats, and the same with the keys of ShareGPT; of the planted file it must find all, and no more."""
    planted, chats, turns = (folder / f"{name}.jsonl" for name in ("planted", "chats", "turns"))
    truth = generate(planted, size)
    check_planted(planted, truth)
    roles = {"user": "human", "assistant": "gpt", "system": "system"}
    with planted.open("rb") as lines, chats.open("wb") as copy, turns.open("wb") as other:
        for number, line in enumerate(lines, 1):
            if number in truth:
                continue
            copy.write(line)
            row = json.loads(line)
            if "tools" not in row:
                said = [{"from": roles[message["role"]], "value": message["content"]} for message in row["messages"]]
                other.write(json.dumps({"conversations": said}, ensure_ascii=False).encode() + b"\n")
    planted.unlink()
    return chats, turns


def check_planted(planted: Path, truth: dict[int, str]) -> None:
    """Print what `check` misses of the planted defects, and what it reports elsewhere."""
    ran = subprocess.run(
        [sys.executable, *ftbridge("check", str(planted), "--json", "--no-advice")], stdout=-1, check=False
    )
    found: dict[int, set[str]] = {}
    for finding in json.loads(ran.stdout)["findings"]:
        found.setdefault(finding["line"], set()).add(finding["code"])
    missed = [line for line, code in truth.items() if code not in found.get(line, ())]
    false = [line for line in found if line not in truth]
    print(f"{planted.stat().st_size / 1e6:.0f} MB, {len(truth)} planted, {len(missed)} missed, {len(false)} false")
    for line in (missed + false)[:5]:
        print(line, truth.get(line), found.get(line))


def table(folder: Path, size: int, repeat: int) -> None:
    chats, turns = files(folder, size)
    few = folder / "few.jsonl"
    with chats.open("rb") as lines:
        few.write_bytes(b"".join(islice(lines, 20)))
    few_turns = folder / "few_turns.jsonl"
    with turns.open("rb") as lines:
        few_turns.write_bytes(b"".join(islice(lines, 20)))
    taken: dict[tuple[str, str], list[Taken]] = {}
    measured = [*COMMANDS, BASE._replace(name="orjson.loads of the turns", pairs=True)]
    for _ in range(repeat):
        for command in measured:
            small, large = (few_turns, turns) if command.pairs else (few, chats)
            one = ["--workers", "1"] if command.divisible else []
            taken.setdefault((command.name, "few"), []).append(run([*command.words, *one], small))
            taken.setdefault((command.name, "all"), []).append(run([*command.words, *one], large))
            if command.divisible:
                taken.setdefault((command.name, "cores"), []).append(run(command.words, large))
    done = {key: least(runs) for key, runs in taken.items()}
    print(f"{'':28} × loop   CPU s  start-up  memory   seconds, with all cores")
    for command in measured:
        start, whole = done[command.name, "few"], done[command.name, "all"]
        base = BASE.name if not command.pairs else "orjson.loads of the turns"
        above = done[base, "all"].cpu - done[base, "few"].cpu
        cores = done.get((command.name, "cores"))
        print(
            f"{command.name:28} {(whole.cpu - start.cpu) / above:6.2f}  {whole.cpu:6.2f}  {start.cpu:8.2f}"
            f"  {whole.memory:3.0f} MB  {whole.wall:6.2f}" + (f"  {cores.wall:6.2f}" if cores else ""),
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, nargs="+", default=[139, 500])
    parser.add_argument("--repeat", type=int, default=3)
    arguments: Any = parser.parse_args()
    for size in arguments.mb:
        print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        with tempfile.TemporaryDirectory() as folder:
            table(Path(folder), size * 10**6, arguments.repeat)


if __name__ == "__main__":
    main()
