"""Graders that ask another model: a score in a range, or one of several labels.

Source: the guide to graders, "Score model graders" (developers.openai.com/api/docs/guides/graders, read 2026-11): the
model is asked for JSON with `result` and `steps`, a list of descriptions and conclusions, and a score is cut to the
range.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ftbridge.errors import AskedToWait, BadAnswer, NetworkError
from ftbridge.foreign.values import number_of
from ftbridge.graders.grade import Grade, RowProblem, graded
from ftbridge.graders.sample import text_of_content
from ftbridge.graders.templates import fill
from ftbridge.graders.types import (
    ContentPart,
    GraderMessage,
    InputAudio,
    InputImage,
    LabelModel,
    SamplingParams,
    ScoreModel,
)
from ftbridge.wording import printable

Complete = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""From a model and the body of a chat completion to OpenAI's answer, as `Provider.complete` does it."""
_RENAMED = {"max_completions_tokens": "max_completion_tokens"}  # only graders have an s there


def score_by_model(grader: ScoreModel, item: Mapping[str, Any], sample: Mapping[str, Any], complete: Complete) -> Grade:
    """The number that the model gives, cut to the grader's range. Raises `RowProblem` for an answer without one."""
    answer = _ask(grader, {"type": "number"}, item, sample, complete)
    result = answer["result"]
    if isinstance(result, bool) or not isinstance(result, int | float) or number_of(result) is None:
        raise _junk(f"its result is {printable(repr(result))}, which is no number", answer)
    low, high = grader.range or (0.0, 1.0)
    return graded(min(max(float(result), low), high), grader.pass_threshold, answer)


def label_by_model(grader: LabelModel, item: Mapping[str, Any], sample: Mapping[str, Any], complete: Complete) -> Grade:
    """1 where the model chooses a passing label, else 0. Raises `RowProblem` where it chooses none of the labels."""
    answer = _ask(grader, {"type": "string", "enum": list(grader.labels)}, item, sample, complete)
    if answer["result"] not in grader.labels:
        raise _junk(f"its result is {printable(repr(answer['result']))}, which is none of the labels", answer)
    passed = answer["result"] in grader.passing_labels
    return Grade(score=float(passed), passed=passed, details=answer)


def _ask(
    grader: ScoreModel | LabelModel,
    result: Mapping[str, Any],
    item: Mapping[str, Any],
    sample: Mapping[str, Any],
    complete: Complete,
) -> dict[str, Any]:
    """The model's answer: `result`, and what else it says about it."""
    params = grader.sampling_params if isinstance(grader, ScoreModel) else None
    body = {
        "messages": [_message(message, item, sample) for message in grader.input],
        **_sampling(params),
        "response_format": {"type": "json_schema", "json_schema": {"name": "grade", "schema": _schema(result)}},
    }
    try:
        completion = complete(grader.model, body)
    except (AskedToWait, BadAnswer, NetworkError) as problem:  # what else goes wrong does so for all rows
        raise RowProblem("model_grader_server_error", f"the judge did not answer: {problem.message}") from None
    return _read(completion)


def _read(completion: Mapping[str, Any]) -> dict[str, Any]:
    choice = completion["choices"][0]
    message = choice["message"]
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        reason = printable(message.get("refusal") or "its content filter ended the answer", 200)
        raise RowProblem("model_grader_refusal_error", f"the judge refuses: {reason}")
    text = text_of_content(message.get("content"))
    if choice.get("finish_reason") == "length":
        raise _junk("it was cut off: raise max_completions_tokens", {"answer": text})
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise _junk(f"{printable(repr(text))} is no JSON", {"answer": text}) from None
    if not isinstance(answer, dict):
        answer = {"result": answer}  # a prompt that asks for a number alone gets it where no format is kept
    if "result" not in answer:
        raise _junk("it has no result", {"answer": text})
    return {**answer, "usage": completion["usage"]} if completion.get("usage") else answer


def _junk(why: str, details: Mapping[str, Any]) -> RowProblem:
    return RowProblem("model_grader_parse_error", f"the judge's answer cannot be used: {why}", details)


def _sampling(params: SamplingParams | None) -> dict[str, Any]:
    given = params.model_dump(exclude_none=True) if params else {}
    return {_RENAMED.get(name, name): value for name, value in given.items()}


def _message(message: GraderMessage, item: Mapping[str, Any], sample: Mapping[str, Any]) -> dict[str, Any]:
    content = message.content
    if isinstance(content, str):
        return {"role": message.role, "content": fill(content, item, sample)}
    parts = content if isinstance(content, tuple) else (content,)
    return {"role": message.role, "content": [_part(part, item, sample) for part in parts]}


def _part(part: str | ContentPart, item: Mapping[str, Any], sample: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a message as chat completions have it."""
    if isinstance(part, InputImage):
        detail = {"detail": part.detail} if part.detail else {}
        return {"type": "image_url", "image_url": {"url": fill(part.image_url, item, sample), **detail}}
    if isinstance(part, InputAudio):
        data = fill(part.input_audio.data, item, sample)
        return {"type": "input_audio", "input_audio": {"data": data, "format": part.input_audio.format}}
    return {"type": "text", "text": fill(part if isinstance(part, str) else part.text, item, sample)}


def _schema(result: Mapping[str, Any]) -> dict[str, Any]:
    """Steps come first: a model that writes its reasons before the result judges by them."""
    step = _object({"description": {"type": "string"}, "conclusion": {"type": "string"}})
    return _object({"steps": {"type": "array", "items": step}, "result": dict(result)})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
