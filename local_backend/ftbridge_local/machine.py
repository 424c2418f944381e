"""What this machine trains on, for people."""

from __future__ import annotations

from ftbridge.wording import counted
from ftbridge_local.packages import check_packages


def describe_devices() -> str:
    """How many devices, and what they are. Raises `MissingExtra`; loads torch."""
    check_packages()
    from ftbridge_local.models.device import devices

    number, kind = devices()
    return counted(number, kind.removesuffix("s"))
