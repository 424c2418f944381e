"""What `[runners.NAME]` with `kind = "hf"` may hold: the machine, for how long at most, and where files are kept."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import Field, field_validator

from ftbridge.arguments import read_age
from ftbridge.provider.settings import Settings
from ftbridge_local.hugging_face import mounted

PROVIDER = "hf"
TAG, RUNNER = mounted.LABEL, "ftbridge-runner"
"""The labels of a job: its tag, and by what name the runner is known that began it."""
_TIME = re.compile(r"\d+(\.\d+)?[mhd]")
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=30)
_BUCKET = re.compile(r"[A-Za-z0-9][\w.-]{0,95}")
_FLAVOR = re.compile(r"[a-z0-9][a-z0-9-]*")


class HfTable(Settings):
    """A flavor of machine at Hugging Face Jobs."""

    kind: str = "hf"
    flavor: str = Field(
        "", description="The machine, such as a10g-small; default: NAME. `hf jobs hardware` lists them."
    )
    namespace: str = Field("", description="The user or organisation that owns the jobs and pays; default: you.")
    image: str = Field("python:3.12", description="The Docker image; what is missing in it is installed by pip first.")
    timeout: str = Field("4h", description='When a job ends at the latest: "90m", "4h" or "2d"; it pauses before that.')
    bucket: str = Field("ftbridge-jobs", description="The private bucket of the namespace in which jobs are kept.")

    @field_validator("flavor")
    @classmethod
    def _is_flavor(cls, flavor: str) -> str:
        if flavor and not _FLAVOR.fullmatch(flavor):
            raise ValueError("it is no flavor, such as a10g-small")
        return flavor

    @field_validator("bucket", "namespace")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if name and not _BUCKET.fullmatch(name):
            raise ValueError("it is no name at the hub")
        return name

    @field_validator("timeout")
    @classmethod
    def _is_time(cls, timeout: str) -> str:
        length = read_age(timeout) if _TIME.fullmatch(timeout) else None
        if length is None or not _SHORTEST <= length <= _LONGEST:
            raise ValueError('it is no time from 5 minutes to 30 days, such as "90m", "4h" or "2d"')
        return timeout

    @property
    def seconds(self) -> int:
        """The timeout in seconds."""
        length = read_age(self.timeout)
        assert length
        return int(length.total_seconds())
