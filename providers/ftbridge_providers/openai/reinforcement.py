"""Reinforcement fine-tuning at OpenAI: its hyperparameters, and what a job of it needs.

Source: the guide to it (developers.openai.com/api/docs/guides/reinforcement-fine-tuning, read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping

from ftbridge.errors import SpecError
from ftbridge.graders import LabelModel, parse_grader
from ftbridge.model import Method, Spec
from ftbridge.provider import Handling

_RFT = frozenset({Method.RFT})

HYPERPARAMETERS: Mapping[str, Handling] = {
    "reasoning_effort": Handling(how="applied", methods=_RFT),
    "compute_multiplier": Handling(how="applied", methods=_RFT, above=1e-5, most=10),
    "eval_interval": Handling(how="applied", methods=_RFT, least=1),
    "eval_samples": Handling(how="applied", methods=_RFT, least=1),
}
"""OpenAPI document of 2026-08, `FineTuneReinforcementHyperparameters`."""


def check_grading(spec: Spec) -> None:
    """Raises `SpecError` for a grader that OpenAI does not take, or where there is no validation file."""
    if spec.grader is None:
        return
    if isinstance(parse_grader(spec.grader), LabelModel):
        raise SpecError(
            "openai takes a label_model grader only as part of a multi grader",
            hint="Put it into a grader of type multi, with calculate_output.",
        )
    if spec.validation is None:
        raise SpecError(
            "openai needs a validation file for rft, on which it measures the reward",
            hint="Give --validation FILE; `ftbridge prepare` splits a dataset.",
        )
