"""What the bridge knows of the market: prices, dates, and the way from one vendor to another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ftbridge.bridge.about_jobs import AboutJobs
from ftbridge.bridge.compare import Machine, Offer, compare, method_for
from ftbridge.bridge.lifecycle import Ending, endings
from ftbridge.bridge.migrate import Migration, Moves, carry_out, moves_of, plan_migration
from ftbridge.catalogue import Catalogue, Load
from ftbridge.model import Job, Method, make_spec

_NO_LOAD, _UNPRICED = Load(), Machine()


class AboutMoves(AboutJobs):
    """Comparing, moving, and seeing what closes."""

    @property
    def catalogue(self) -> Catalogue:
        """What is known of the vendors' models: the rows of all installed providers, and the user's own."""
        return self._place.catalogue

    def compare(
        self,
        data: str | Path,
        to: Sequence[str],
        *,
        validation: str | Path | None = None,
        method: str | None = None,
        load: Load = _NO_LOAD,
        machine: Machine = _UNPRICED,
        live: bool = False,
        measure: bool = False,
        format: str | None = None,  # noqa: A002 - as above
        **hyperparameters: Any,
    ) -> list[Offer]:
        """What training on `data`, and then serving `load`, costs at each target; cheapest first.

        By the catalogue, offline; with `live` the vendors are asked for their dates and limits. A target on
        this machine is priced by `machine`, and with `measure` a few rows are trained there to learn its speed.
        Without a `method` it is that for which the data is made: dpo for preferences, else sft.
        """
        chosen = method or method_for(Path(data), format)
        if method is None and chosen is Method.DPO:
            self._warn(f"{data} holds preferences, and so they are priced for dpo")
        held = Path(validation) if validation else None
        spec = make_spec(target="", data=Path(data), validation=held, method=chosen, hyperparameters=hyperparameters)
        train = partial(self._try_out, method=chosen) if measure else None
        return compare(self._place, spec, to, load, machine=machine, live=live, measure=train, format=format)

    def _try_out(self, data: Path, to: str, method: str) -> None:
        self.wait(self.submit(data, to, method=method, name="speed", epochs=1))

    def plan_migration(self, job: Job | str, to: str, **given: Any) -> Migration:
        """What doing a job again at another target would mean: what is carried, changed, or left behind.

        `job` is one of the ledger, or `provider:id` of one that ftbridge never saw. `given` are `data` and
        `validation`, where the vendor does not give its files back, and hyperparameters to have instead.
        """
        return plan_migration(self._place, job if isinstance(job, str) else job.id, to, **given)

    def migrate(self, plan: Migration) -> Job:
        """Submit the job of a plan, and link it to the old one, which is taken into the ledger if need be."""
        return carry_out(self._place, plan, submit=self.submit, refresh=self.refresh)

    def moves(self, job: Job | str) -> Moves:
        """Which job this one was moved from, and which to."""
        return moves_of(self._place, self._record(job).job.id)

    def lifecycle(self, *, offline: bool = False) -> list[Ending]:
        """Every job and tuned model that is going to end, soonest first: in the ledger, and at the vendors."""
        return endings(self._place, offline=offline)
