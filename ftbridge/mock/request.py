"""A request's body held against the vendor's own description of it, as a pydantic model."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError


class Body(BaseModel):
    """A body or a part of it: values have to be of their JSON types, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class OpenBody(BaseModel):
    """The same of a vendor of which it is not known what it makes of other keys."""

    model_config = ConfigDict(extra="ignore", strict=True)


class RequestFault(NamedTuple):
    """What is wrong at `path`: pydantic's name for the kind, and its sentence, which FastAPI answers with."""

    path: tuple[str | int, ...]
    kind: str
    message: str

    @property
    def name(self) -> str:
        """The path as vendors write it in their answers."""
        return ".".join(map(str, self.path))


def request_faults(body: Any, described: type[BaseModel]) -> list[RequestFault]:
    """Everything that is wrong with a body, in order; of a value that none of several types fits, the first type's."""
    try:
        described.model_validate(body)
    except ValidationError as problem:
        faults = [
            RequestFault(_path(one["loc"], one["type"], body), one["type"], one["msg"]) for one in problem.errors()
        ]
        return list({fault.path: fault for fault in reversed(faults)}.values())[::-1]
    return []


def _path(location: tuple[str | int, ...], kind: str, body: Any) -> tuple[str | int, ...]:
    """The keys of a location; for a value of several types it ends with the name of one of these."""
    path: list[str | int] = []
    for step in location:
        if isinstance(body, dict) and (step in body or kind == "missing"):
            body = body.get(step)
        elif isinstance(body, list) and isinstance(step, int):
            body = body[step]
        else:
            break
        path.append(step)
    return tuple(path)
