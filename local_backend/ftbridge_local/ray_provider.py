"""Training on a Ray cluster: `ray:NAME/MODEL`, where `[runners.NAME]` has its address, and `ray:127.0.0.1/MODEL`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from ftbridge.config import is_loopback
from ftbridge.errors import ConfigError, TargetError
from ftbridge.wording import printable
from ftbridge_local.elsewhere import ElsewhereProvider
from ftbridge_local.runners.mirror import Mirror
from ftbridge_local.runners.runner import Runner
from ftbridge_local.runners.tables import RayTable

_HOST = re.compile(r"[A-Za-z0-9_][\w.-]*(:\d{1,5})?")
_PORT = 8265  # of Ray's dashboard, unless its head is told another one


class RayProvider(ElsewhereProvider):
    """Jobs of a Ray cluster's job server."""

    name: ClassVar[str] = "ray"
    runner_class = RayTable

    def split(self, model: str) -> tuple[str, str]:
        """HOST/MODEL, where HOST is in the tables, or this machine with or without a port."""
        host, _, name = model.partition("/")
        if not (_HOST.fullmatch(host) and name):
            raise TargetError(
                f"{printable(repr(model))} does not name a cluster and a model",
                hint="Write ray:NAME/MODEL, with the address in [runners.NAME] of ftbridge.toml; ray:127.0.0.1/MODEL is"
                " a head on this machine.",
            )
        return host, name

    def open_runner(self, host: str, folder: Path) -> Runner:
        """A client of its job server. Raises `ConfigError` for another machine without a table: it gets the token."""
        from ftbridge_local.runners.ray import RayRunner
        from ftbridge_local.runners.ray_api import RayApi

        table: RayTable = self._tables.get(host) or RayTable()
        name, _, port = host.partition(":")
        if not table.address and not is_loopback(name):
            raise ConfigError(
                f"there is no address for {host}: other machines get data and a token only where a table names them",
                hint=f'Set address = "https://…" in [runners.{name}] of ftbridge.toml, with kind = "ray".',
            )
        address = table.address or f"http://{name}:{port or _PORT}"
        return RayRunner(RayApi(address, insecure=table.insecure), Mirror(folder), table)
