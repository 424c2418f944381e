"""What a stub vendor keeps: jobs and files."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["validating", "validated", "queued", "running", "succeeded", "failed", "cancelled"]

_TAG = re.compile(r"ftb_[0-9a-z]+")
_OVER = ("succeeded", "failed", "cancelled")


@dataclass
class StubJob:
    """A job as the vendor keeps it; `request` is the body that made it, and `history` what became of it when."""

    id: str
    request: dict[str, Any]
    created_at: float
    foreign: bool = False
    state: State = "queued"
    history: list[tuple[float, State]] = field(default_factory=list)
    born: float = field(default_factory=time.monotonic)
    reads: int = 0
    listings: int = 0
    started: bool = True

    @property
    def suffix(self) -> str | None:
        """As it was asked for."""
        suffix: str | None = self.request.get("suffix")
        return suffix

    @property
    def metadata(self) -> dict[str, str]:
        """As it was asked for."""
        return self.request.get("metadata") or {}

    @property
    def tag(self) -> str | None:
        """The label by which ftbridge would know the job."""
        found = _TAG.search(" ".join([*self.metadata.values(), self.suffix or ""]))
        return found.group() if found else None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in _OVER


@dataclass
class StubFile:
    """A file that was sent; `content` is `None` where it is still to come."""

    id: str
    name: str
    content: bytes | None
    created_at: float
    purpose: str = "fine-tune"
    checksum: str = ""
