"""What mocks have seen and answered, checked against the types of the vendors' installed SDKs.

These every clone has. An operation that a vendor's SDK does not have is not checked here: `UNKNOWN` says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple

from ftbridge.mock import Seen
from sdk_types import answer_violations, request_violations


class Operation(NamedTuple):
    """The SDK's types of an answer and of a JSON request; `None` where it has none.

    `chunk` and `stream_request` are those of an answer that is streamed.
    """

    answer: Any = None
    request: Any = None
    chunk: Any = None
    stream_request: Any = None


DEVIATIONS: dict[str, dict[str, str]] = {
    "openai": {
        "* answer *status: Input should be *": "'paused' is only in an example of OpenAI's document, not in its enum",
        "* $.method.reinforcement.grader*": "the SDK's multi grader holds a single one; tests/graders has their types",
        "* request $.method.reinforcement: response_format is not a field *": "the guide to reinforcement has it",
    },
    "mistral": {},
    "together": {
        "POST /fine-tunes request $: * is missing": "the type is what the SDK itself sends, every default included",
    },
}
"""What is against an SDK's types, and why: patterns of the sentences of `_violations`."""

UNKNOWN: dict[str, dict[str, str]] = {
    "openai": {"GET /files/*/content": "it answers bytes"},
    "together": {
        "GET /files/*/content": "it answers bytes",
        "GET /finetune/download*": "it answers bytes",
        "PUT /storage/*": "it is an address from an answer",
        "POST /files": "its answer is a redirect",
        "POST /files/upload": "the SDK uploads in another way",
        "GET /fine-tunes/models/supported": "the SDK does not call it",
    },
    "mistral": {
        "* /fine_tuning/*": "the SDK has had no jobs since 2.5.2 (2026-07)",
        "GET /files/*/content": "it answers bytes",
    },
}


def check_by_sdk(vendor: str, seen: Iterable[Seen]) -> set[str]:
    """The operations among `seen` whose types the SDK has.

    Raises `AssertionError` with every violation.
    """
    known: set[str] = set()
    broken: set[str] = set()
    for one in seen:
        path = re.sub(r"^.*?/v[013]/", "/", one.call.path)
        name, operation = _operation(vendor, one.call.method, path)
        if operation is None:
            assert any(fnmatchcase(f"{one.call.method} {path}", pattern) for pattern in UNKNOWN[vendor]), path
            continue
        known.add(name)
        broken |= {f"{name} {violation}" for violation in _violations(operation, one)}
    broken = {one for one in broken if not any(fnmatchcase(one, pattern) for pattern in DEVIATIONS[vendor])}
    assert not broken, "against the SDK's types:\n" + "\n".join(sorted(broken))
    return known


def _violations(operation: Operation, seen: Seen) -> Iterator[str]:
    if seen.answer.status >= 400:
        return  # a refused request may be anything, and the SDKs have no types of errors
    if seen.call.body and seen.call.body.get("stream"):
        yield from (f"request {one}" for one in request_violations(operation.stream_request, seen.call.body))
        for chunk in _chunks(seen.answer.content or b""):
            yield from (f"chunk {one}" for one in answer_violations(operation.chunk, chunk))
        return
    if operation.request is not None:
        yield from (f"request {one}" for one in request_violations(operation.request, seen.call.body))
    if operation.answer is not None:
        yield from (f"answer {one}" for one in answer_violations(operation.answer, seen.answer.body))


def _chunks(content: bytes) -> list[Any]:
    """The objects of a stream of server-sent events, which ends with [DONE]."""
    *events, end = [line.removeprefix("data: ") for line in content.decode().split("\n\n") if line]
    assert end == "[DONE]"
    return [json.loads(event) for event in events]


def _operation(vendor: str, method: str, path: str) -> tuple[str, Operation | None]:
    """The operation of a call; a fixed word wins over a parameter."""
    table = TABLES[vendor]()
    for name in sorted(table, key=lambda name: name.count("{")):
        verb, _, template = name.partition(" ")
        if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return name, table[name]
    return "", None


@cache
def _openai() -> dict[str, Operation]:
    from openai.pagination import SyncCursorPage, SyncPage
    from openai.types import FileDeleted, FileObject, Model, ModelDeleted
    from openai.types.chat import ChatCompletion, ChatCompletionChunk
    from openai.types.chat.completion_create_params import (
        CompletionCreateParamsNonStreaming,
        CompletionCreateParamsStreaming,
    )
    from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
    from openai.types.fine_tuning.job_create_params import JobCreateParams
    from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

    jobs = "/fine_tuning/jobs"
    return {
        "POST /files": Operation(FileObject),
        "GET /files": Operation(SyncCursorPage[FileObject]),
        "GET /files/{id}": Operation(FileObject),
        "DELETE /files/{id}": Operation(FileDeleted),
        f"POST {jobs}": Operation(FineTuningJob, JobCreateParams),
        f"GET {jobs}": Operation(SyncCursorPage[FineTuningJob]),
        f"GET {jobs}/{{id}}": Operation(FineTuningJob),
        f"POST {jobs}/{{id}}/cancel": Operation(FineTuningJob),
        f"POST {jobs}/{{id}}/pause": Operation(FineTuningJob),
        f"POST {jobs}/{{id}}/resume": Operation(FineTuningJob),
        f"GET {jobs}/{{id}}/events": Operation(SyncCursorPage[FineTuningJobEvent]),
        f"GET {jobs}/{{id}}/checkpoints": Operation(SyncCursorPage[FineTuningJobCheckpoint]),
        "GET /models": Operation(SyncPage[Model]),
        "GET /models/{id}": Operation(Model),
        "DELETE /models/{id}": Operation(ModelDeleted),
        "POST /chat/completions": Operation(
            ChatCompletion,
            CompletionCreateParamsNonStreaming,
            ChatCompletionChunk,
            CompletionCreateParamsStreaming,
        ),
    }


@cache
def _together() -> dict[str, Operation]:
    from together.lib.types.fine_tuning import FinetuneRequest
    from together.types.chat import ChatCompletion
    from together.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

    from together import types

    jobs = "/fine-tunes"
    return {
        "GET /whoami": Operation(types.WhoamiResponse),
        "POST /files/{id}/preprocess": Operation(types.FileResponse),
        "GET /files": Operation(types.FileList),
        "GET /files/{id}": Operation(types.FileResponse),
        "DELETE /files/{id}": Operation(types.FileDeleteResponse),
        f"POST {jobs}": Operation(types.FinetuneResponse, FinetuneRequest),
        f"GET {jobs}": Operation(types.FineTuningListResponse),
        f"GET {jobs}/models/limits": Operation(types.FinetuneModelLimits),
        f"POST {jobs}/estimate-price": Operation(
            types.FineTuningEstimatePriceResponse, types.FineTuningEstimatePriceParams
        ),
        f"GET {jobs}/{{id}}": Operation(types.FinetuneResponse),
        f"DELETE {jobs}/{{id}}": Operation(types.FineTuningDeleteResponse),
        f"POST {jobs}/{{id}}/cancel": Operation(types.FineTuningCancelResponse),
        f"GET {jobs}/{{id}}/events": Operation(types.FineTuningListEventsResponse),
        f"GET {jobs}/{{id}}/metrics": Operation(types.FineTuningListMetricsResponse),
        f"GET {jobs}/{{id}}/checkpoints": Operation(types.FineTuningListCheckpointsResponse),
        "GET /models": Operation(),
        "POST /chat/completions": Operation(ChatCompletion, CompletionCreateParamsNonStreaming),
    }


@cache
def _mistral() -> dict[str, Operation]:
    from mistralai.client import models

    return {
        "POST /files": Operation(models.CreateFileResponse),
        "GET /files": Operation(models.ListFilesResponse),
        "GET /files/{id}": Operation(models.GetFileResponse),
        "GET /files/{id}/url": Operation(models.GetSignedURLResponse),
        "DELETE /files/{id}": Operation(models.DeleteFileResponse),
        "GET /models": Operation(models.ModelList),
        "GET /models/{id}": Operation(models.ResponseRetrieveModelV1ModelsModelIDGet),
        "DELETE /models/{id}": Operation(models.DeleteModelResponse),
        "PATCH /fine_tuning/models/{id}": Operation(models.JobsAPIRoutesFineTuningUpdateFineTunedModelResponse),
        "POST /fine_tuning/models/{id}/archive": Operation(models.ArchiveModelResponse),
        "DELETE /fine_tuning/models/{id}/archive": Operation(models.UnarchiveModelResponse),
        "POST /chat/completions": Operation(models.ChatCompletionResponse, models.ChatCompletionRequestTypedDict),
    }


TABLES = {"openai": _openai, "together": _together, "mistral": _mistral}
