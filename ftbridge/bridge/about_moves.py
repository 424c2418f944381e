"""What the bridge knows of the market: prices, dates, and the way from one vendor to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from ftbridge.bridge.about_jobs import AboutJobs
from ftbridge.bridge.compare import compare, method_for
from ftbridge.bridge.lifecycle import Ending, endings
from ftbridge.bridge.migrate import Migration, Moves, carry_out, moves_of, plan_migration
from ftbridge.bridge.moving_all import MassMove, Move, carry_out_all, check_total, plan_all
from ftbridge.bridge.offers import Machine, Offer
from ftbridge.bridge.rebuilding import import_jobs
from ftbridge.bridge.taking_in import Found
from ftbridge.bridge.watch import look_once
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

        `job` is one of the ledger, or one that ftbridge never saw: `provider:id`, or `provider:model` of the model
        that it made. `given` are `data` and `validation`, where the vendor does not give its files back, `max_cost`,
        and hyperparameters to have instead.
        """
        return plan_migration(self._place, job if isinstance(job, str) else job.id, to, **given)

    def migrate(self, plan: Migration) -> Job:
        """Submit the job of a plan, and link it to the old one, which is taken into the ledger if need be."""
        return carry_out(self._place, plan, submit=self.submit, refresh=self.refresh)

    def plan_all(self, provider: str, to: str, *, only_succeeded: bool = True, **given: Any) -> MassMove:
        """What doing all of a provider's jobs in the ledger again elsewhere would mean, without those that were moved.

        `provider` is a name such as openai or mock+openai; `given` are hyperparameters for all of the jobs.
        """
        open_ = [job.id for job in self.jobs() if job.target.startswith(f"{provider}:") and not job.status.final]
        for problem in look_once(self._place, open_):  # some may have succeeded by now
            self._warn(problem.message)
        return plan_all(self._place, provider, to, only_succeeded=only_succeeded, **given)

    def migrate_all(self, plan: MassMove, *, max_cost: float | None = None) -> Iterator[Move]:
        """Submit the jobs of a plan, one after the other, and link each to its old one.

        Raises `OverBudget` before anything is sent where all together may cost more than `max_cost`, in US dollars.
        """
        return carry_out_all(self._place, plan, submit=self.submit, refresh=self.refresh, max_cost=max_cost)

    def check_total(self, plan: MassMove, max_cost: float | None) -> None:
        """Raises `OverBudget` as `migrate_all` would."""
        check_total(self._place, plan, max_cost)

    def import_jobs(self, provider: str, *, since: date | None = None, dry_run: bool = False) -> Found:
        """Take into the ledger every job that the vendor lists, whoever made it, or since `since`; adds none twice.

        `provider` is a name such as openai or mock+openai. With `dry_run` nothing is written.
        """
        return import_jobs(self._place, provider, since=since, dry_run=dry_run)

    def moves(self, job: Job | str) -> Moves:
        """Which job this one was moved from, and which to."""
        return moves_of(self._place, self._record(job).job.id)

    def lifecycle(self, *, offline: bool = False) -> list[Ending]:
        """Every job and tuned model that is going to end, soonest first: in the ledger, and at the vendors."""
        return endings(self._place, offline=offline)
