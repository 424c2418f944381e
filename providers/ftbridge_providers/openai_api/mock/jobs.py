"""The job that a create request makes, with its whole script."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from ftbridge.mock import write_script
from ftbridge.model import Status
from ftbridge_providers.openai_api.mock.bodies import Job

_SERVER_ERROR = {"code": "server_error", "message": "The job failed due to an internal error.", "param": None}
_MAX_STEPS = 200
"""So that long files do not make long scripts."""


def new_id() -> str:
    """The part of a job's id that other ids are made of."""
    return secrets.token_hex(12)


def make_job(
    number: str,
    request: dict[str, Any],
    method: dict[str, Any],
    content: bytes,
    *,
    model: str,
    now: float,
    speed: float,
    phases: Iterable[tuple[Status, float]],
    end: Status,
    problem: dict[str, Any] | None,
) -> Job:
    """A job that passes through `phases`, and fails if its file has a `problem`."""
    hyperparameters = method[method["type"]]["hyperparameters"]
    examples = max(1, content.count(b"\n"))
    steps = max(1, examples * hyperparameters["n_epochs"] // hyperparameters["batch_size"])
    end = Status.FAILED if problem else end
    return Job(
        id=f"ftjob-{number}",
        created_at=now,
        model=model,
        request=request,
        script=write_script(
            list(phases),
            started=now,
            speed=speed,
            steps=min(steps, _MAX_STEPS),
            epochs=hyperparameters["n_epochs"],
            seed=request.get("seed") or 42,
            end=end,
        ),
        method=method,
        trained_tokens=len(content) // 4 * hyperparameters["n_epochs"],
        problem=problem or (_SERVER_ERROR if end is Status.FAILED else None),
    )
