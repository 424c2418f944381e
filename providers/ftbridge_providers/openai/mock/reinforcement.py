"""Reinforcement at mocked OpenAI: what its requests need, its rewards, and what it teaches.

Source: OpenAI's guide to reinforcement fine-tuning (developers.openai.com/api/docs/guides, read 2026-11).
"""

from __future__ import annotations

import json
from typing import Any

from ftbridge.mock import Moment
from ftbridge_providers.openai_api.mock.bodies import Job

METHOD = "reinforcement"
MODEL = "o4-mini-2025-04-16"
"""The only model that learns by reinforcement, and in no other way."""
DEFAULTS = {"reasoning_effort": "medium", "compute_multiplier": 1.0, "eval_interval": 5, "eval_samples": 3}
"""What "auto" stands for; OpenAI does not document it."""
COLUMNS = (
    "step",
    "train_mean_reward",
    "full_valid_mean_reward",
    "completion_tokens_mean",
    "reasoning_tokens_mean",
    "mean_unresponsive_rewards",
)
"""The columns of the result file."""
_GRADERS = ("string_check", "text_similarity", "python", "score_model", "multi")


def find_fault(request: dict[str, Any]) -> tuple[str, str, str] | None:
    """What is wrong with the method of a create request, as message, code and field; `None` where nothing is."""
    method = request.get("method") or {}
    kind = method.get("type", "supervised")
    if (kind == METHOD) != (MODEL in request["model"]):
        return f"Model {request['model']} does not support method {kind}.", "invalid_method", "method.type"
    if kind != METHOD:
        return None
    if ((method.get(METHOD) or {}).get("grader") or {}).get("type") not in _GRADERS:
        return "Invalid grader.", "invalid_grader", f"method.{METHOD}.grader"
    if not request.get("validation_file"):
        message = "A validation file is required for reinforcement fine-tuning."
        return message, "missing_required_parameter", "validation_file"
    return None


def is_method_of(job: Job) -> bool:
    """Whether the job is one of reinforcement."""
    return bool(job.method["type"] == METHOD)


def is_evaluation(job: Job, moment: Moment) -> bool:
    """Whether the reward on the validation file is measured, and a checkpoint kept."""
    interval = job.hyperparameters["eval_interval"]
    return moment.step > 0 and (moment.step % interval == 0 or moment.step == job.script.steps)


def rewards(job: Job, moment: Moment) -> dict[str, Any]:
    """The main metrics of the guide's example of an event; the reward rises as accuracy would."""
    train = round(0.9 * (moment.token_accuracy or 0.0), 4)
    scores = {"train_reward_mean": train}
    metrics: dict[str, Any] = {
        "step": moment.step,
        "train_mean_reward": train,
        "reasoning_tokens_mean": 900.0 + 10 * moment.step,
        "completion_tokens_mean": 960.0 + 10 * moment.step,
        "mean_unresponsive_rewards": 0.0,
    }
    if is_evaluation(job, moment):
        valid = round(0.95 * (moment.token_accuracy or 0.0), 4)
        metrics |= {"full_valid_mean_reward": valid, "full_valid_mean_parse_error": 0.0}
        scores["valid_reward_mean"] = valid
    return {**metrics, "scores": scores}


def message(job: Job, moment: Moment) -> str:
    """The message of an event."""
    metrics = rewards(job, moment)
    text = f"Step {moment.step}/{job.script.steps} , train mean reward={metrics['train_mean_reward']:.2f}"
    if "full_valid_mean_reward" not in metrics:
        return text
    return f"{text}, full validation mean reward={metrics['full_valid_mean_reward']:.2f}"


def answered(row: dict[str, Any]) -> dict[str, Any]:
    """A task with the answer of a model that has learnt what its grader wants: the reference."""
    reference = {key: value for key, value in row.items() if key not in ("messages", "tools", "parallel_tool_calls")}
    [wanted] = reference.values() if len(reference) == 1 else [reference]
    text = wanted if isinstance(wanted, str) else json.dumps(wanted)
    return {"messages": [*row["messages"], {"role": "assistant", "content": text}]}
