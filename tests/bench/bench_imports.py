"""How long ftbridge takes to start, beside bare Python.

    python tests/bench/bench_imports.py [--repeat 5]

Each figure is the CPU time of a process of its own and its children, the least of the repetitions.
"""

# ruff: noqa: T201  # a script that prints its table
from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile

STARTS = {
    "python -c pass": ["-c", "pass"],
    "import ftbridge": ["-c", "import ftbridge"],
    "from ftbridge import Bridge": ["-c", "from ftbridge import Bridge"],
    "ftbridge --help": ["-m", "ftbridge", "--help"],
    "ftbridge jobs": ["-m", "ftbridge", "jobs"],
    "ftbridge providers": ["-m", "ftbridge", "providers"],
}


def cpu_seconds(arguments: list[str], home: str) -> float:
    before = _children()
    environment = {**os.environ, "FTBRIDGE_HOME": home}
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)
    return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as home:
        least = {
            name: min(cpu_seconds(arguments, home) for _ in range(asked.repeat)) for name, arguments in STARTS.items()
        }
    bare = least["python -c pass"]
    for name, seconds in least.items():
        print(f"{name:28} {seconds * 1000:5.0f} ms   + {(seconds - bare) * 1000:4.0f} ms")


if __name__ == "__main__":
    main()
