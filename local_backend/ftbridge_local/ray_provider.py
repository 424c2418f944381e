"""Training on a Ray cluster: `ray:NAME/MODEL`, where `[runners.NAME]` has its address, and `ray:127.0.0.1/MODEL`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.config import is_loopback
from ftbridge.errors import ConfigError, TargetError
from ftbridge.wording import counted, printable
from ftbridge_local.elsewhere import ElsewhereProvider
from ftbridge_local.runners.look import install_command
from ftbridge_local.runners.mirror import Mirror
from ftbridge_local.runners.runner import Runner
from ftbridge_local.runners.tables import RayTable

if TYPE_CHECKING:
    from ftbridge.doctor import Check
    from ftbridge_local.runners.ray import RayRunner
    from ftbridge_local.runners.ray_api import RayApi

_HOST = re.compile(r"[A-Za-z0-9_][\w.-]*(:\d{1,5})?")
_PORT = 8265  # of Ray's dashboard, unless its head is told another one


class RayProvider(ElsewhereProvider):
    """Jobs of a Ray cluster's job server."""

    name: ClassVar[str] = "ray"
    runner_class = RayTable

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._clusters: list[RayRunner] = []

    def close(self) -> None:
        """Close the connections to the clusters."""
        for runner in self._clusters:
            runner.close()

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

    def inspect(self, host: str) -> Iterator[Check]:
        """What there is at the cluster, by a small job that waits for the same room as training does."""
        from ftbridge.doctor import Check
        from ftbridge_local.runners.ray_jobs import RayJobs

        table: RayTable = self._tables.get(host) or RayTable()
        with closing(self._api(host, table)) as api:
            found = partial(Check, about="host", name=host)
            yield found(state="ok", what=f"{api.url} answers: Ray {api.version()}")
            look = RayJobs(api, table).look()
        version = ".".join(map(str, look.python))
        gpus = counted(look.gpus, "NVIDIA GPU") if look.gpus else "no NVIDIA GPU"
        yield found(state="problem" if look.is_too_old else "ok", what=f"its node has Python {version}, {gpus}")
        if look.missing:
            fix = f"on the nodes: {install_command(table.python, look.missing)}, or pip in [runners.{host}]"
            yield found(state="problem", what=f"it has no {', '.join(look.missing)}", fix=fix)
        else:
            yield found(state="ok", what="it has the packages that training needs")

    def open_runner(self, host: str, folder: Path) -> Runner:
        """A client of its job server. Raises `ConfigError` for another machine without a table: it gets the token."""
        from ftbridge_local.runners.ray import RayRunner

        table: RayTable = self._tables.get(host) or RayTable()
        runner = RayRunner(self._api(host, table), Mirror(folder), table)
        self._clusters.append(runner)
        return runner

    def _api(self, host: str, table: RayTable) -> RayApi:
        from ftbridge_local.runners.ray_api import RayApi

        name, _, port = host.partition(":")
        if not table.address and not is_loopback(name):
            raise ConfigError(
                f"there is no address for {host}: other machines get data and a token only where a table names them",
                hint=f'Set address = "https://…" in [runners.{name}] of ftbridge.toml, with kind = "ray".',
            )
        return RayApi(table.address or f"http://{name}:{port or _PORT}", insecure=table.insecure)
