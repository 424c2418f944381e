"""Training on Hugging Face Jobs: `hf:FLAVOR/MODEL`, or `hf:NAME/MODEL` by `[runners.NAME]`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.catalogue import Row
from ftbridge.errors import TargetError
from ftbridge.model import Spec
from ftbridge.provider import RemoteJob
from ftbridge.target import parse_target
from ftbridge.wording import dollars, printable
from ftbridge_local.elsewhere import ElsewhereProvider
from ftbridge_local.hugging_face.account import hub_account
from ftbridge_local.hugging_face.table import PROVIDER, RUNNER, TAG, HfTable
from ftbridge_local.runners.mirror import Mirror
from ftbridge_local.runners.runner import JobReport, Runner

if TYPE_CHECKING:
    from ftbridge_local.hugging_face.jobs_api import JobsApi

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")  # as a label of the hub's (huggingface_hub 2.4.0)


class HfProvider(ElsewhereProvider):
    """Our own trainer on machines of Hugging Face's, by the minute."""

    name: ClassVar[str] = PROVIDER
    runner_class = HfTable
    poll_seconds: float = 15.0
    slowest_poll_seconds: float = 120.0
    listing_lag_seconds: ClassVar[float] = 60.0
    in_flight_seconds: ClassVar[float] = 120.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._apis: dict[str, JobsApi] = {}

    def close(self) -> None:
        """Close the connections to the hub."""
        for api in self._apis.values():
            api.close()

    @property
    def account(self) -> str:
        """The same for the same token and address."""
        return f"{self.name}/{hub_account().name}"

    def split(self, model: str) -> tuple[str, str]:
        """FLAVOR/MODEL, or NAME/MODEL."""
        host, _, name = model.partition("/")
        if not (_HOST.fullmatch(host) and name):
            raise TargetError(
                f"{printable(repr(model))} does not name a machine and a model",
                hint="Write hf:FLAVOR/MODEL, such as hf:a10g-small/Qwen/Qwen3-0.6B; `ftbridge help hf` lists the"
                " flavors, and [runners.NAME] in ftbridge.toml gives one a name.",
            )
        return host, name

    def open_runner(self, host: str, folder: Path) -> Runner:
        """By the table of that name, or of that flavor as it stands."""
        from ftbridge_local.hugging_face.runner import HfRunner

        table = self._table(host)
        return HfRunner(host, table, Mirror(folder), self._api(table.namespace))

    def hosts(self, tag: str = "") -> Iterable[str]:
        """Of a job that was begun from here its own; else also those that the hub's jobs name, whoever began them."""
        known = set(super().hosts(tag))
        if tag and any(self.runner(host).folder(tag).path.exists() for host in known):
            return sorted(known)
        namespaces = {self._table(host).namespace for host in known} | {""}
        labels = {TAG: tag} if tag else {}
        found = {job.labels.get(RUNNER, "") for one in namespaces for job in self._api(one).listed(labels)}
        return sorted(known | {host for host in found if _HOST.fullmatch(host)})

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """With a warning that says when the job ends, and what it may cost by then."""
        warnings, checked = super().check_spec(spec, allow_ignored=allow_ignored)
        host, _name = self.split(parse_target(spec.target).model)
        hours, price = self._table(host).seconds / 3600, self._hourly_usd(host)
        most = f", which costs {dollars(hours * price)} at most" if price else ""
        limit = f"{self.name} ends the job after {hours:g} h{most}; it pauses before that"
        return [*warnings, limit], checked

    def catalogue(self) -> tuple[Row, ...]:
        """The prices of flavors, and for how long a job runs at most; the same for the tables' names."""
        of_all, *priced = super().catalogue()
        rows = [of_all, *priced]
        for name, table in self._tables.items():
            models = {"models": (f"{name}/*",)}
            flavor = table.flavor or name
            rows.append(of_all.model_copy(update={**models, "training_hours_at_most": table.seconds / 3600}))
            rows += [row.model_copy(update=models) for row in priced if f"{flavor}/*" in row.models]
        return tuple(rows)

    def _api(self, namespace: str) -> JobsApi:
        """The requests in a namespace, "" for that of the token; the same ones each time."""
        from ftbridge_local.hugging_face.jobs_api import JobsApi

        return self._apis.setdefault(namespace, JobsApi(namespace))

    def _job(self, host: str, report: JobReport) -> RemoteJob:
        """With what its minutes come to, once it is over."""
        job = super()._job(host, report)
        price = self._hourly_usd(host) if job.status.final and report.seconds else None
        return job.model_copy(update={"cost_usd": price * ceil(report.seconds / 60) / 60}) if price else job

    def _hourly_usd(self, host: str) -> float | None:
        flavor = self._table(host).flavor or host
        prices = [row.training_usd_per_hour for row in super().catalogue() if f"{flavor}/*" in row.models]
        return next(filter(None, prices), None)

    def _table(self, host: str) -> HfTable:
        table: HfTable = self._tables.get(host) or HfTable()
        return table
