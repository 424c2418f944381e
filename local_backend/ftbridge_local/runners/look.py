"""Programs for a bare Python on the far side, sent to it on standard input: what is there, and the trainer's files."""

from __future__ import annotations

import shlex
from base64 import b64encode
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement

from ftbridge.model import Frozen
from ftbridge_local.runners.ship import trainer

MARK = "ftbridge answers: "
"""Begins the line of an answer: a login shell may write lines of its own before it."""
NEEDED = (
    *("torch", "transformers", "peft", "safetensors", "tokenizers", "jinja2", "numpy"),
    *("pydantic", "msgspec", "xxhash", "stringzilla", "packaging", "platformdirs"),
)
"""What the trainer imports."""
_OLDEST = (3, 11)

_BEGIN = """
import sys
sys.path[:] = sys.path[1:]  # without the working folder
import base64, importlib.util, io, json, os, platform, shutil, subprocess, tempfile, zipfile
home = os.path.expanduser({folder!r})
trainer = os.path.join(home, {trainer!r})
"""
_LOOK = """
gpus = 0
if shutil.which("nvidia-smi"):
    gpus = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE).stdout.count(b"GPU ")
existing = home
while not os.path.isdir(existing):
    existing = os.path.dirname(existing)
print({mark!r} + json.dumps(dict(
    python=list(sys.version_info[:3]),
    home=home,
    has_trainer=os.path.isdir(trainer),
    missing=[name for name in {needed!r} if importlib.util.find_spec(name) is None],
    free_gigabytes=shutil.disk_usage(existing).free / 1e9,
    gpus=gpus,
    has_slurm=bool(shutil.which("sbatch")),
)))
"""
_PUT = """
os.umask(0o077)
os.makedirs(home, exist_ok=True)
new = tempfile.mkdtemp(prefix=".new-", dir=home)
zipfile.ZipFile(io.BytesIO(base64.b64decode({content!r}))).extractall(new)
try:
    os.rename(new, trainer)
except OSError:  # another process was faster
    shutil.rmtree(new)
print({mark!r} + "null")
"""


class Look(Frozen):
    """What is on the far side: Python's version, the folder of its jobs, packages that are missing, and devices."""

    python: tuple[int, int, int]
    home: str
    has_trainer: bool
    missing: tuple[str, ...]
    free_gigabytes: float
    gpus: int
    has_slurm: bool

    @property
    def is_too_old(self) -> bool:
        """Whether its Python does not run ftbridge."""
        return self.python < _OLDEST


def look_program(folder: str) -> str:
    """A program that prints a `Look`, for jobs in `folder`."""
    name, _content = trainer()
    return (_BEGIN + _LOOK).format(folder=folder, trainer=name, mark=MARK, needed=NEEDED)


def put_program(folder: str) -> str:
    """A program that puts the trainer's files below `folder`, all or none of them."""
    name, content = trainer()
    return (_BEGIN + _PUT).format(folder=folder, trainer=name, mark=MARK, content=b64encode(content))


def install_command(python: str, missing: tuple[str, ...]) -> str:
    """The command that installs the packages there, in the versions that this ftbridge takes."""
    try:
        ranges = {one.name.lower(): str(one.specifier) for one in map(Requirement, requires("ftbridge") or ())}
    except PackageNotFoundError:  # run from its source
        ranges = {}
    return shlex.join([python, "-m", "pip", "install", *(f"{name}{ranges.get(name, '')}" for name in missing)])
