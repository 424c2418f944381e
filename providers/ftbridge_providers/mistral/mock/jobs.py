"""Mocked Mistral jobs: what a create request must hold, and the script before and after the start."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from ftbridge.mock import Script, write_script
from ftbridge.mock.request import request_faults
from ftbridge.model import Status
from ftbridge_providers.mistral.mock.bodies import Job
from ftbridge_providers.mistral.mock.request import CreateJob
from ftbridge_providers.mistral.mock.training_file import SampleProblem, check_samples, read_rows

PHASES_BEFORE_START = ((Status.QUEUED, 10.0), (Status.VALIDATING, 20.0))
PHASES_AFTER_START = ((Status.PAUSED, 0.0), (Status.QUEUED, 20.0), (Status.RUNNING, 140.0))
"""Phases and their seconds; PAUSED stands for VALIDATED."""
_EPOCHS = 3
"""For a request without epochs or training_steps; Mistral's default is not documented."""


def request_problems(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What FastAPI finds wrong with a create request: the entries of its `detail`."""
    for fault in request_faults(request, CreateJob):
        yield {"type": fault.kind, "loc": ["body", "job_in", *fault.path], "msg": fault.message}
    if not request.get("training_files") and not request.get("repositories"):
        message = "At least one training file or repository is required."
        location = ["body", "job_in"]
        yield {"type": "value_error", "loc": location, "msg": f"Value error, {message}", "ctx": {"error": message}}


def file_ids(request: dict[str, Any]) -> list[str]:
    """The files that a create request names, the training files first."""
    return [file["file_id"] for file in request.get("training_files") or []] + (request.get("validation_files") or [])


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID, as all of Mistral's ids are."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def uuid_problem(location: list[str]) -> dict[str, Any]:
    """FastAPI's entry for an id that is not a UUID."""
    return {"type": "uuid_parsing", "loc": location, "msg": "Input should be a valid UUID"}


def make_job(
    request: dict[str, Any],
    training: list[bytes],
    validation: list[bytes],
    *,
    now: float,
    speed: float,
    end: Status,
    stall: float,
) -> Job:
    """The job that a create request makes of its files' contents; its last phase takes `stall` seconds more."""
    problem = ""
    try:
        for content in [*training, *validation]:
            check_samples(read_rows(content))
    except SampleProblem as found:
        problem, end = str(found), Status.FAILED
    examples = sum(content.count(b"\n") for content in training)
    given = request["hyperparameters"]
    epochs = max(1, round(given.get("epochs") or (1 if given.get("training_steps") else _EPOCHS)))
    phases = list(PHASES_BEFORE_START if problem else PHASES_BEFORE_START + PHASES_AFTER_START)
    phases[-1] = (phases[-1][0], phases[-1][1] + stall * speed)
    script = write_script(
        phases,
        started=now,
        speed=speed,
        steps=min(200, given.get("training_steps") or max(1, examples * epochs)),
        epochs=epochs,
        seed=42,
        end=end,
    )
    return Job(
        id=str(uuid.uuid4()),
        created_at=now,
        request=request,
        script=script if problem or request.get("auto_start") else _held(script),
        data_tokens=sum(map(len, training)) // 4,
        problem=problem,
    )


def waits_for_start(script: Script, now: float) -> bool:
    """Whether the job is validated and waits for its start."""
    return bool(script.held) and script.status(now) is Status.PAUSED


def started(script: Script, now: float) -> Script:
    """The script of a job that is started at `now`."""
    rest = tuple(replace(moment, at=moment.at + now) for moment in script.held)
    return replace(script, moments=(*script.moments, *rest), held=())


def _held(script: Script) -> Script:
    """The script up to VALIDATED, with the rest held back until the start."""
    index = next(index for index, moment in enumerate(script.moments) if moment.status is Status.PAUSED)
    at = script.moments[index].at
    rest = tuple(replace(moment, at=moment.at - at) for moment in script.moments[index + 1 :])
    return replace(script, moments=script.moments[: index + 1], held=rest)
