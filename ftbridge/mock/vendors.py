"""All mocked vendors at one address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

from ftbridge.mock.faults import Fault
from ftbridge.mock.vendor import MockVendor


class MockVendors:
    """The vendors by name, each below its own path and with its own state in `folder`.

    A fault occurs at each vendor that has the operation.
    """

    def __init__(
        self,
        kinds: Mapping[str, type[MockVendor]],
        folder: Path,
        *,
        speed: float = 60.0,
        faults: Iterable[Fault] = (),
    ) -> None:
        faults = list(faults)
        self.vendors = {name: kind(folder / name, speed=speed, faults=faults) for name, kind in kinds.items()}

    def __getitem__(self, name: str) -> MockVendor:
        return self.vendors[name]

    def app(self) -> Starlette:
        """One web application for all vendors."""
        return Starlette(routes=[Mount(f"/{name}", vendor.app()) for name, vendor in self.vendors.items()])

    def environment(self, url: str) -> dict[str, str]:
        """The variables by which the vendors' SDKs, and ftbridge's adapters, use the mocks at `url`."""
        variables: dict[str, str] = {}
        for name, vendor in self.vendors.items():
            variables |= vendor.environment(f"{url}/{name}")
        return variables
