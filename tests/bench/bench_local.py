"""How fast the local trainer is beside TRL's, from the same model, adapter and rows, in the same number of steps.

    python tests/bench/bench_local.py [--shape 10M ...] [--repeat 3]

Both sides run in turn, each time in a process of its own, on all cores. Speed is in tokens (padding not counted) per
CPU second between the end of the first step and the last but one; memory is the peak above the loaded model; TRL is
installed into an environment of its own, below build/, on top of this one's torch. Results are kept in
build/bench_local.jsonl, and the table is made of all that is there.
"""

# ruff: noqa: T201  # a script that prints its table
from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.local_world import BATCH, MANY, ROWS, SHAPES, build, take

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
KEPT = BUILD / "bench_local.jsonl"
STEPS = {"10M": 16, "100M-32k": 5, "100M-128k": 5}
TRL, GROUPED = "TRL", "TRL, group_by_length"
OURS, HALVES = "ftbridge, float32", "ftbridge, bfloat16 base"
STARTS = {
    "to the first step of 2,000 rows": ("train.jsonl", ROWS // BATCH),
    "to the first step of 20,000 rows": ("many.jsonl", MANY // BATCH),
}
SIDES = {"10M": (TRL, GROUPED, OURS), "100M-32k": (TRL, OURS, HALVES), "100M-128k": (TRL, OURS, HALVES)}


def trl_python() -> str:
    """The interpreter of TRL's environment, which is made if it is not there."""
    folder = BUILD / "trl"
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        below = [path for path in sys.path if path.endswith("site-packages")]
        [own] = folder.glob("lib/python*/site-packages")
        (own / "below.pth").write_text("\n".join(below), "utf-8")
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
        subprocess.run([*pip, "install", "--quiet", "trl"], check=True)
    return str(folder / "bin" / "python")


def run(side: str, folder: Path, steps: int) -> dict[str, Any]:
    """One run of one side."""
    if side in (TRL, GROUPED):
        setting = "plain" if side == TRL else "group_by_length"
        command = [trl_python(), "local_trl.py", str(folder), str(steps), setting]
    else:
        command = [sys.executable, "local_ours.py", str(folder), str(steps), side.split()[1]]
    began = time.time()
    result = _result(command)
    return {**result, "seconds_to_first_step": result["first_step_at"] - began}


def start(folder: Path, data: str) -> dict[str, Any]:
    """From `ftbridge submit` to the first step, with the rows of that file to check and tokenize."""
    home = folder / "start"
    environment = {**os.environ, "FTBRIDGE_HOME": str(home)}
    command = [
        sys.executable,
        "-m",
        "ftbridge",
        "submit",
        str(folder / data),
        "--to",
        f"local:{folder}/adapter",
    ]
    before = os.times()
    began = time.time()
    subprocess.run(
        [*command, "--batch-size", "8", "--epochs", "1"], check=True, stdout=subprocess.DEVNULL, env=environment
    )
    after = os.times()
    [job] = (home / "local" / "jobs").iterdir()
    while not any('"train_loss"' in line for line in _lines(job / "events.jsonl")):
        time.sleep(0.02)
    seconds = time.time() - began
    worker = (job / "worker.lock").read_text()
    used = sum(map(int, Path(f"/proc/{worker}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) / os.sysconf(
        "SC_CLK_TCK"
    )
    (job / "request").write_text("cancel")
    cpu = used + after.children_user + after.children_system - before.children_user - before.children_system
    while Path(f"/proc/{worker}/stat").exists() and '"running"' in (job / "status.json").read_text():
        time.sleep(0.1)
    shutil.rmtree(home)  # so that nothing is cached the next time
    return {"seconds_to_first_step": seconds, "cpu_to_first_step": cpu}


def _result(command: list[str]) -> dict[str, Any]:
    """What a script beside this one prints on its last line."""
    python, script, *rest = command
    paths = os.pathsep.join(str(ROOT / name) for name in ("", "local_backend"))
    done = subprocess.run(
        [python, str(Path(__file__).with_name(script)), *rest],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"},
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", nargs="*", default=[*SHAPES, *STARTS])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    for shape in options.shape:
        folder = BUILD / "bench_local" / (shape if shape in SHAPES else "10M")
        if not (folder / "many.jsonl").exists():
            shutil.rmtree(folder, ignore_errors=True)
            build(folder, folder.name)
        for _ in range(options.repeat):
            data, steps = STARTS.get(shape) or ("train.jsonl", STEPS[shape])
            take(folder, steps, data)  # new files, so that no side has the rows tokenized already
            for side in SIDES.get(shape, (TRL, OURS)):
                timed = (
                    start(folder, data) if shape in STARTS and side == OURS else run(side, folder, STEPS.get(shape, 1))
                )
                with KEPT.open("a", encoding="utf-8") as out:
                    out.write(json.dumps({"shape": shape, "side": side, **timed}) + "\n")
    if "10M" in options.shape:
        apart = _result([trl_python(), "local_dpo.py", str(BUILD / "bench_local" / "10M")])["apart"]
        print(f"DPO's loss of one batch is {apart:.1e} from TRL's")
    table([json.loads(line) for line in _lines(KEPT)])


def table(results: list[dict[str, Any]]) -> None:
    """Medians, as rows of Markdown."""
    print("| model | side | runs | tokens per CPU second | × TRL | MB above the model | × TRL | validation loss |")
    print("|---|---|---|---|---|---|---|---|")
    for shape, sides in SIDES.items():
        for side in sides:
            speed, speed0 = (_median(results, shape, who, "speed") for who in (side, TRL))
            memory, memory0 = (_median(results, shape, who, "memory") for who in (side, TRL))
            loss = _median(results, shape, side, "valid_loss")
            runs = sum((found["shape"], found["side"]) == (shape, side) for found in results)
            print(
                f"| {shape} | {side} | {runs} | {speed:,.0f} | {speed / speed0:.2f} "
                f"| {memory:,.0f} | {memory / memory0:.2f} | {loss:.3f} |"
            )
    for shape, side in product(STARTS, (TRL, OURS)):
        cpu, seconds = (_median(results, shape, side, f"{unit}_to_first_step") for unit in ("cpu", "seconds"))
        print(f"{side}, {shape}: {cpu:.1f} CPU seconds, {seconds:.1f} s")


def _median(results: list[dict[str, Any]], shape: str, side: str, name: str) -> float:
    found = [result[name] for result in results if (result["shape"], result["side"]) == (shape, side)]
    return statistics.median(found) if found else float("nan")


if __name__ == "__main__":
    main()
