"""What the bridge does with what a job has made."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from ftbridge.bridge.base import Base
from ftbridge.bridge.costs import By, Costs, costs_of_month
from ftbridge.bridge.deploying import deploy, undeploy
from ftbridge.bridge.deployment_watch import deployed_for_hours
from ftbridge.bridge.deployments import DeploymentInfo, all_of_job, look_at_deployments
from ftbridge.bridge.evaluate import Evaluation, evaluate, tuned_model
from ftbridge.bridge.fetching import fetch_whole
from ftbridge.capabilities import ExportForm
from ftbridge.catalogue import today
from ftbridge.dataset.example import Chat, System, User
from ftbridge.errors import Unsupported
from ftbridge.model import Job, Result
from ftbridge.provider import Provider, Reply


class AboutModels(Base):
    """Fetching, serving, talking and scoring."""

    def fetch(self, job: Job | str, out: str | Path) -> Result:
        """Write what the finished job gives as the folder `out`. Raises `JobFailed` if it gives nothing.

        Raises `InputError` where the folder holds anything else than this job's result.
        """
        record = self._succeeded(job)
        return fetch_whole(record.job, self._provider_of(record).fetch, Path(out).absolute())

    def export(self, job: Job | str, out: str | Path, *, form: ExportForm = "merged") -> Result:
        """Write the result as the folder `out` in a form that other programs take, with a model card.

        Raises as `fetch` does, and `Unsupported` for a job of another provider than this machine.
        """
        provider = self._provider_of(self._record(job))
        if "package" not in provider.capabilities.verbs:
            raise _not_exported(provider, self._record(job).job)
        record = self._succeeded(job)
        out = Path(out).absolute()
        return fetch_whole(record.job, lambda job, folder: provider.package(job, form, folder), out, form)

    def deploy(self, job: Job | str, *, tier: str | None = None, max_hours: float | None = None) -> DeploymentInfo:
        """Have the vendor serve the tuned model until `undeploy`, and return when it answers.

        Only for vendors that do not serve it by themselves. What it costs is said before it is asked for. After
        `max_hours` hours it is warned of, and `watch` with `deployments` takes it down.
        """
        return deploy(self._place, self._succeeded(job), tier=tier, max_hours=max_hours)

    def undeploy(self, job: Job | str) -> list[DeploymentInfo]:
        """Stop serving the tuned model, and paying for that; the vendor keeps the model.

        Returns what has ended by that, with what it has cost: nothing where nothing was deployed.
        """
        return undeploy(self._place, self._succeeded(job))

    def deployments(self, *jobs: Job | str, offline: bool = False, everywhere: bool = False) -> list[DeploymentInfo]:
        """What is deployed now, with what it costs, oldest first: of those jobs, or of all.

        Without `jobs` also what vendors serve that no job here has made. The vendors of jobs here are asked, with
        `everywhere` all whose keys are set, with `offline` none.
        """
        chosen = [self._record(job).job for job in jobs] if jobs else None
        return look_at_deployments(self._place, chosen, offline=offline, everywhere=everywhere)

    def past_deployments(self, job: Job | str) -> list[DeploymentInfo]:
        """The deployments of the job's model that have ended, as the ledger has them, oldest first."""
        return [info for info in all_of_job(self._place, self._record(job).job.id) if info.ended_at]

    def deployed_for_hours(self) -> set[str]:
        """The jobs whose models are deployed with `max_hours`, as the ledger has them."""
        return deployed_for_hours(self._place)

    def costs(self, day: date | None = None, *, by: By = "vendor") -> list[Costs]:
        """What the month of `day`, or this one, has cost by vendor, target, owner or group; the dearest first."""
        return costs_of_month(self._place, day or today(), by)

    def chat(self, job: Job | str, prompt: str | Chat, *, system: str | None = None, **options: Any) -> Reply:
        """The tuned model's answer to one prompt, or to a whole chat."""
        record = self._succeeded(job)
        if isinstance(prompt, str):
            prompt = Chat(messages=[*([System(content=system)] if system else []), User(content=prompt)])
        return self._provider_of(record).chat(tuned_model(record.job), prompt, **options)

    def evaluate(
        self,
        job: Job | str,
        data: str | Path,
        *,
        baseline: bool = False,
        against: Job | str | None = None,
        margin: float = 0.05,
    ) -> Evaluation:
        """Score the tuned model on held-out chats, and its base beside it with `baseline`.

        With `against`, another job, on the same rows, and whether this one is as good: not worse by more
        than `margin`, a share of exact answers.
        """
        record = self._succeeded(job)
        other = self._succeeded(against).job if against else None
        return evaluate(self._place, record.job, Path(data), baseline=baseline, against=other, margin=margin)


def _not_exported(provider: Provider, job: Job) -> Unsupported:
    """What to do instead, by whether the vendor lets the weights go."""
    if provider.capabilities.gives_weights:
        return Unsupported(
            f"{provider.name} gives the weights of {job.id} as they are; only local: exports in other forms",
            provider=provider.name,
            hint=f"`ftbridge fetch {job.id} --out FOLDER` downloads them, for peft and transformers.",
        )
    return Unsupported(
        f"{provider.name} keeps the weights of {job.id} to itself, so there is nothing to export",
        provider=provider.name,
        hint=f"`ftbridge chat {job.id}` talks to it; `ftbridge migrate {job.id} --to local:MODEL` trains one to keep.",
    )
