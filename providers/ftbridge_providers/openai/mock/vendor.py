"""OpenAI, mocked: what it has beyond the services that train its models elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from ftbridge.mock import Answer, Call, Moment, operation
from ftbridge_providers.openai.mock import reinforcement
from ftbridge_providers.openai.mock.reinforcement_file import check_task
from ftbridge_providers.openai_api.gpt.mock.training_file import check_training_file
from ftbridge_providers.openai_api.gpt.mock.vendor import GptMock, csv
from ftbridge_providers.openai_api.mock.bodies import Job

SHUTDOWN_DATES = {
    "gpt-4.1-2025-04-14": "2027-01-14",
    "gpt-4.1-mini-2025-04-14": "2027-01-14",
    "gpt-4o-2024-08-06": "2027-01-14",
    "gpt-4o-mini-2024-07-18": "2027-01-14",
    reinforcement.MODEL: "2026-10-23",
}
"""Models that were open for tuning in 2026, and when they are shut down (OpenAI's deprecations page, 2026-10-14)."""


class OpenAIMock(GptMock):
    """One organisation at OpenAI."""

    name: ClassVar[str] = "openai"
    base_path: ClassVar[str] = "/v1"
    key_env: ClassVar[str] = "OPENAI_API_KEY"
    url_env: ClassVar[str] = "OPENAI_BASE_URL"
    bases: ClassVar[Sequence[str]] = tuple(SHUTDOWN_DATES)
    shutdown_dates: ClassVar[Mapping[str, str]] = SHUTDOWN_DATES
    winding_down: bool = False
    """Whether this organisation may not create jobs any more, as many may not since 2026-05."""

    @operation("DELETE", "/v1/models/{model}")
    def delete_model(self, call: Call) -> Answer:
        """Delete a tuned model, or a checkpoint; its job stays."""
        name = call.params["model"]
        job = self.job_of(name)
        if job is None:
            raise self.refusal(404, "The model does not exist", code="model_not_found", param="model")
        self.store.put("jobs", job.id, replace(job, deleted=(*job.deleted, name)))
        return Answer({"id": name, "object": "model", "deleted": True})

    def check_request(self, request: dict[str, Any]) -> None:
        """Raises the refusal of an organisation, a model or a method."""
        if self.winding_down:
            message = (
                "OpenAI is winding down the fine-tuning platform and your organization is no longer able to create new"
                " fine-tuning training jobs."
            )
            raise self.refusal(403, message, code="training_not_available")
        super().check_request(request)
        if fault := reinforcement.find_fault(request):
            message, code, param = fault
            raise self.refusal(400, message, code=code, param=param)

    def defaults(self, kind: str, examples: int) -> dict[str, Any]:
        """Those of every method, and of reinforcement."""
        defaults = super().defaults(kind, examples)
        return {**defaults, **reinforcement.DEFAULTS} if kind == reinforcement.METHOD else defaults

    def read_rows(self, content: bytes, method: str) -> Iterable[dict[str, Any]]:
        """The rows of a file, which for reinforcement are tasks."""
        if method == reinforcement.METHOD:
            return check_training_file(content, check_task)
        return super().read_rows(content, method)

    def learnt_rows(self, job: Job) -> list[dict[str, Any]]:
        """The rows of the file; tasks with the answers that their graders want."""
        rows = super().learnt_rows(job)
        return [reinforcement.answered(row) for row in rows] if reinforcement.is_method_of(job) else rows

    def is_wanted(self, job: Job, call: Call) -> bool:
        """The listing filters by metadata."""
        wanted = {name[9:-1]: value for name, value in call.query.items() if name.startswith("metadata[")}
        return wanted.items() <= (job.request.get("metadata") or {}).items()

    def saved(self, job: Job) -> list[Moment]:
        """The last three checkpoints, or, in reinforcement, those with the highest rewards."""
        if not reinforcement.is_method_of(job):
            return super().saved(job)
        moments = [moment for moment in job.script.until(self.now()) if reinforcement.is_evaluation(job, moment)]
        return sorted(moments, key=lambda moment: moment.token_accuracy or 0.0)[-3:]

    def metrics(self, job: Job, moment: Moment) -> dict[str, Any]:
        """Losses, or, in reinforcement, rewards."""
        if reinforcement.is_method_of(job):
            return reinforcement.rewards(job, moment)
        return super().metrics(job, moment)

    def metrics_message(self, job: Job, moment: Moment) -> str:
        """The message of a training step's event."""
        if reinforcement.is_method_of(job):
            return reinforcement.message(job, moment)
        return super().metrics_message(job, moment)

    def result_file(self, job: Job) -> bytes:
        """The result file, which has other columns in reinforcement."""
        if not reinforcement.is_method_of(job):
            return super().result_file(job)
        rows = [reinforcement.rewards(job, moment) for moment in job.script.moments if moment.step]
        return csv(reinforcement.COLUMNS, rows)

    def model(self, name: str) -> dict[str, Any]:
        """A `Model` object, with the day of its shutdown."""
        base = name.split(":")[1] if name.startswith("ft:") else name
        return {**super().model(name), "shutdown_date": self.shutdown_dates.get(base)}

    def model_name(self, request: dict[str, Any], number: str) -> str:
        """`ft:BASE:ORGANISATION:SUFFIX:ID`."""
        return f"ft:{request['model']}:mock:{request.get('suffix') or ''}:{number[:8]}"
