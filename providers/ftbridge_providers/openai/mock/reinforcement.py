"""Reinforcement at mocked OpenAI: what a request for it must hold, its rewards, and what it teaches.

Source: OpenAI's guide to reinforcement fine-tuning (developers.openai.com/api/docs/guides, read 2026-11).
"""

from __future__ import annotations

import json
from typing import Any

from ftbridge.mock import Moment, Script

METHOD = "reinforcement"
MODEL = "o4-mini-2025-04-16"
"""The only one that learns by reinforcement, and by nothing else."""
CHOSEN = {"reasoning_effort": "medium", "compute_multiplier": 1.0, "eval_interval": 5, "eval_samples": 3}
"""What "auto" comes to; OpenAI does not tell."""
COLUMNS = (
    "train_mean_reward",
    "full_valid_mean_reward",
    "completion_tokens_mean",
    "reasoning_tokens_mean",
    "mean_unresponsive_rewards",
)
"""Those of the result file, after the step."""
_GRADERS = ("string_check", "text_similarity", "python", "score_model", "multi")


def find_fault(request: dict[str, Any]) -> tuple[str, str, str] | None:
    """What is wrong with the method of a create request: words, code and field; `None` where nothing is."""
    method = request.get("method") or {}
    kind = method.get("type", "supervised")
    if (kind == METHOD) != (MODEL in request["model"]):
        return f"Model {request['model']} does not support method {kind}.", "invalid_method", "method.type"
    if kind != METHOD:
        return None
    if ((method.get(METHOD) or {}).get("grader") or {}).get("type") not in _GRADERS:
        return "Invalid grader.", "invalid_grader", f"method.{METHOD}.grader"
    if not request.get("validation_file"):
        said = "A validation file is required for reinforcement fine-tuning."
        return said, "missing_required_parameter", "validation_file"
    return None


def is_evaluation(moment: Moment, script: Script, method: dict[str, Any]) -> bool:
    """Whether the reward on the validation file is measured, and a checkpoint kept."""
    every = method[METHOD]["hyperparameters"]["eval_interval"]
    return moment.step > 0 and (moment.step % every == 0 or moment.step == script.steps)


def rewards(moment: Moment, script: Script, method: dict[str, Any]) -> dict[str, Any]:
    """The main figures of the guide's example of an event; the reward rises as accuracy would."""
    train = round(0.9 * (moment.token_accuracy or 0.0), 4)
    scores = {"train_reward_mean": train}
    figures: dict[str, Any] = {
        "step": moment.step,
        "train_mean_reward": train,
        "reasoning_tokens_mean": 900.0 + 10 * moment.step,
        "completion_tokens_mean": 960.0 + 10 * moment.step,
        "mean_unresponsive_rewards": 0.0,
    }
    if is_evaluation(moment, script, method):
        valid = round(0.95 * (moment.token_accuracy or 0.0), 4)
        figures |= {"full_valid_mean_reward": valid, "full_valid_mean_parse_error": 0.0}
        scores["valid_reward_mean"] = valid
    return {**figures, "scores": scores}


def sentence(figures: dict[str, Any], steps: int) -> str:
    """An event's message."""
    said = f"Step {figures['step']}/{steps} , train mean reward={figures['train_mean_reward']:.2f}"
    if "full_valid_mean_reward" not in figures:
        return said
    return f"{said}, full validation mean reward={figures['full_valid_mean_reward']:.2f}"


def answered(row: dict[str, Any]) -> dict[str, Any]:
    """The row as it is; a task with what a model says that has learnt what its grader wants: the reference."""
    if "messages" not in row or row["messages"][-1]["role"] != "user":
        return row
    wanted = {key: value for key, value in row.items() if key not in ("messages", "tools", "parallel_tool_calls")}
    [only] = wanted.values() if len(wanted) == 1 else [wanted]
    said = only if isinstance(only, str) else json.dumps(only)
    return {"messages": [*row["messages"], {"role": "assistant", "content": said}]}
