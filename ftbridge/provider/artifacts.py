"""What is kept of a job: at its vendor, or on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ftbridge.model import Checkpoint, Frozen, Result
from ftbridge.provider.capabilities import Capabilities
from ftbridge.provider.remote import Listed


class Artifact(Frozen):
    """Something that a vendor keeps of a job, by the vendor's `name` of it; on this machine that is its path.

    A "file" was uploaded, or is a result that is not a model, and `key` is the hash of its content where that is known.
    The other kinds exist on this machine only: "data" is a job's own copy of its rows, "cache" is made from them,
    "tokenizer" is a copy of an adapter's, "log" is a worker's, and "temporary" was left by a process that died.
    `part_of` names the artifact with which this one is deleted. `kept` says why it cannot be deleted; "" where
    `Provider.delete` can.
    """

    kind: Literal["file", "checkpoint", "model", "job", "data", "cache", "tokenizer", "log", "temporary"]
    name: str
    key: str | None = None
    part_of: str | None = None
    kept: str = ""


def artifacts_of(
    listed: Listed, checkpoints: Callable[[str], list[Checkpoint]], capabilities: Capabilities, provider: str
) -> list[Artifact]:
    """The files, checkpoints and model of a listed job, and the job itself; `kept` is by the provider's capabilities.

    `checkpoints` lists those of a job, where the provider offers that.
    """
    result, job = listed.remote.result or Result(), listed.remote.remote_id
    saved = checkpoints(job) if "checkpoints" in capabilities.verbs else []
    files = (listed.training_file, listed.validation_file, *result.files)
    found = [
        *(Artifact(kind="file", name=name) for name in dict.fromkeys(filter(None, files))),
        *(Artifact(kind="checkpoint", name=checkpoint.model) for checkpoint in saved),
        *(Artifact(kind="model", name=name) for name in [result.model] if name),
        Artifact(kind="job", name=job),
    ]
    otherwise = "" if "delete" in capabilities.verbs else f"{provider}'s API deletes nothing"
    return [one.model_copy(update={"kept": capabilities.keeps.get(one.kind, otherwise)}) for one in found]
