"""How long `ftbridge compare` takes on 10,000 chats and six targets, as a command of its own."""

# ruff: noqa: T201  # a script that prints its figures
from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGETS = """openai:gpt-4.1-mini-2025-04-14 openai:gpt-4o-2024-08-06 azure:gpt-4.1-mini-2025-04-14
    together:Qwen/Qwen3-8B mistral:pixtral-12b-latest local:tiny""".split()
ROUNDS = 5


def write(file: Path, rows: int) -> None:
    """Chats of some hundred words, from a seed."""
    rng = random.Random(0)
    words = "order refund parcel late please thank account invoice where shipping address cancel".split()
    with file.open("w") as out:
        for _ in range(rows):
            texts = {"system": "You answer support tickets."}
            texts |= {role: " ".join(rng.choices(words, k=rng.randint(10, 60))) for role in ("user", "assistant")}
            messages = [{"role": role, "content": text} for role, text in texts.items()]
            out.write(json.dumps({"messages": messages}) + "\n")


def main() -> None:
    """Print each round's seconds, of the clock and of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.jsonl"
        write(data, 10_000)
        environment = {**os.environ, "FTBRIDGE_HOME": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has been compiled once
        command = [sys.executable, "-m", "ftbridge", "compare", str(data), "--json"]
        command += [word for target in TARGETS for word in ("--to", target)]
        subprocess.run(command, env=environment, check=True, capture_output=True)  # the tiny base's tokenizer is made
        for number in range(1, ROUNDS + 1):
            begun, before = time.monotonic(), _processor()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            print(f"compare, round {number}: {time.monotonic() - begun:.2f} s, {_processor() - before:.2f} s of CPU")


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
