"""Files at Together: sent once, and looked at there before a job may use them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.errors import InvalidRequest, ServerTrouble
from ftbridge_providers.together.client import NAME, sound

if TYPE_CHECKING:
    from together import Together


def send(client: Together, file: Path, name: str) -> str:
    """The id of the file that Together has under this name with this size, which is sent if there is none."""
    size = file.stat().st_size
    for known in sound(client.files.list(), needs="data").data:
        if known.filename == name and known.bytes == size:
            return str(known.id)
    # the SDK sends a file under the name that it has on the disk
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / name
        named.symlink_to(file.absolute())
        answer = client.files.upload(named, purpose="fine-tune", check=False)
    return str(sound(answer).id)


def is_accepted(file: Any) -> bool:
    """Whether Together has found the file sound. Raises `InvalidRequest` with its words where it has not."""
    if file.processing_status == "FAILED":
        raise ServerTrouble(
            f"together could not look at file {file.id}", provider=NAME, hint="Delete it there and try again."
        )
    if file.processing_status == "INVALID_FORMAT":
        report = file.validation_report
        raise InvalidRequest(
            f"together refuses the file: {report.error if report else 'without a word'}",
            provider=NAME,
            code="INVALID_FORMAT",
            hint="Mend what it names; no job was made.",
        )
    return file.processing_status in (None, "COMPLETED")  # files of old have no such field
