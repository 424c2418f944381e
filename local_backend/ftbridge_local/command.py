"""The command that works on a job folder, as runners start it."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """`python -m MODULE FOLDER` works on a job folder.

    The module is a package whose `__main__` has `main(folder, lock)`. `preload`, as "module:function", imports what
    takes seconds; a runner may call it while the job is still being prepared. `secrets` are the environment variables
    with keys that the command needs; it gets no others.
    """

    module: str
    preload: str
    secrets: tuple[str, ...] = ()


# The worker downloads the base model, where that is not here yet, and some models need a login to the hub. It starts
# before it is known whether this one does.
_HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
TRAIN = Command("ftbridge_local.trainer", preload="ftbridge_local.trainer.preload:load", secrets=_HUB_TOKENS)
"""Training."""
