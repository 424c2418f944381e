"""Where other trainers' own code is, for tests to ask it: run this file to install it.

    $ python tests/trainer_configs/trainers_here.py

Their pins exclude each other and this project's environment. So TRL is in an environment of its own on top of this
one's torch, and each of the others is unpacked without what it depends on, but for what its parser imports. All is
below $FTBRIDGE_TRAINERS, or build/trainers; what is not there is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("FTBRIDGE_TRAINERS") or Path(__file__).parents[2] / "build" / "trainers")
SCRIPTS = Path(__file__).parent / "their_code"
UNPACKED = {
    "axolotl": ["axolotl==0.19.0", "addict", "art", "pillow"],
    "llama-factory": ["llamafactory==0.9.5", "omegaconf", "antlr4-python3-runtime==4.9.3", "fire", "termcolor", "av"],
    "unsloth": ["unsloth==2026.10.9"],
}


def ask(trainer: str, question: str, folder: Path, **more: Any) -> Any:
    """What the trainer's own code says of the config in a folder; the test is skipped where that code is not here."""
    python, package = FOLDER / "trl" / "bin" / "python", FOLDER / trainer
    for needed in (python, package):
        if not needed.exists():
            pytest.skip(f"{trainer} is not in {FOLDER}: python tests/trainer_configs/trainers_here.py installs it")
    script = SCRIPTS / f"{trainer.replace('-', '_')}.py"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        "PYTHONPATH": "" if trainer == "trl" else str(package),
        "HF_HOME": str(folder.parent / "hf"),
        "HF_HUB_OFFLINE": "1",
        "DISABLE_VERSION_CHECK": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "ACCELERATE_USE_CPU": "true",
    }
    words = [str(python), str(script), question, json.dumps(more)]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def install() -> None:
    """Make what is not there yet."""
    trl = FOLDER / "trl"
    if not trl.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(trl)], check=True)
        below = [path for path in sys.path if path.endswith("site-packages")]
        [own] = trl.glob("lib/python*/site-packages")
        (own / "below.pth").write_text("\n".join(below), "utf-8")
        pip = [sys.executable, "-m", "pip", "--python", str(trl / "bin" / "python")]
        subprocess.run([*pip, "install", "--quiet", "trl==1.16.0"], check=True)
    for name, packages in UNPACKED.items():
        if not (FOLDER / name).exists():
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(FOLDER / name)]
            subprocess.run([*pip, *packages], check=True)


if __name__ == "__main__":
    install()
