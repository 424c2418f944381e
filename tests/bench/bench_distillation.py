"""What a student learns from a teacher's probabilities, beside what it learns from the same rows' text alone.

    python tests/bench/bench_distillation.py [--rows 60 120 240] [--epochs 8] [--seeds 0 1 2]

The teacher is `local:tiny` after the 400 support tickets of `ftbridge demo`. Each student is `local:tiny` with the
first N of them: once by `--method sft` and once by `--method distill`, with the same settings and seeds. All commands
run as a user types them; the 60 held-out tickets are answered greedily. The figures are means over the seeds, with the
lowest and the highest; seconds are those of training, as the events have them.
"""

# ruff: noqa: T201  # a script that prints its table
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

from ftbridge.sample import sample_files

FILES = sample_files()
METHODS = ("sft", "distill")


def ftbridge(home: Path, *words: object) -> Any:
    """What a command prints with --json."""
    command = [sys.executable, "-m", "ftbridge", *map(str, words), "--json"]
    done = subprocess.run(command, env={**os.environ, "FTBRIDGE_HOME": str(home)}, capture_output=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", type=int, default=[60, 120, 240])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    print("| rows | method | exact, of 60 | loss per token | seconds of training |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.chdir(home)
        teacher = ftbridge(home, "run", FILES.train, "--to", "local:tiny", "--epochs", 4)["id"]
        print(line("400", "teacher: sft", [student(home, teacher)]), flush=True)
        for rows in options.rows:
            data = home / f"first-{rows}.jsonl"
            with FILES.train.open(encoding="utf-8") as all_rows:
                data.write_text("".join(islice(all_rows, rows)), "utf-8")
            for method in METHODS:
                its = ["--teacher", teacher] if method == "distill" else []
                jobs = [
                    ftbridge(
                        home, "run", data, "--to", "local:tiny", "--method", method, *its, "--seed", seed,
                        "--epochs", options.epochs,
                    )["id"]
                    for seed in options.seeds
                ]  # fmt: skip
                print(line(rows, method, [student(home, job) for job in jobs]), flush=True)


def student(home: Path, job: str) -> tuple[float, float, float]:
    """How many held-out answers are right, the loss per token, and the seconds of training."""
    found = ftbridge(home, "evaluate", job, FILES.heldout, "--metric", "exact,loss")
    scores = {score["metric"]: score["score"] for score in found["models"][0]["scores"]}
    steps = [event for event in ftbridge_lines(home, "events", job) if event["kind"] == "metric" and event["tokens"]]
    seconds = sum(
        (now["tokens"] - before) / now["tokens_per_second"]
        for before, now in zip([0, *(step["tokens"] for step in steps)], steps, strict=False)
    )
    return 60 * scores["exact"], scores["loss"], seconds


def ftbridge_lines(home: Path, *words: object) -> list[Any]:
    """What a command prints with --json, where that is a document a line."""
    command = [sys.executable, "-m", "ftbridge", *map(str, words), "--json"]
    done = subprocess.run(command, env={**os.environ, "FTBRIDGE_HOME": str(home)}, capture_output=True, check=True)
    return [json.loads(text) for text in done.stdout.splitlines()]


def line(rows: object, method: str, found: list[tuple[float, float, float]]) -> str:
    """A row of the table."""
    figures = []
    for values, form in zip(zip(*found, strict=True), (".1f", ".3f", ".1f"), strict=True):
        mean, low, high = statistics.mean(values), min(values), max(values)
        figures.append(f"{mean:{form}}" + (f" ({low:{form}} to {high:{form}})" if len(found) > 1 else ""))
    return f"| {rows} | {method} | {' | '.join(figures)} |"


if __name__ == "__main__":
    main()
