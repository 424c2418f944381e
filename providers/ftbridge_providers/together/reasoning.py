"""Reasoning at Together: which models are trained on it, and that of a chat only its last answer is trained then.

Source: docs.together.ai/docs/fine-tuning/reasoning, read 2026-11. A model that goes on from a job is not known here.
"""

from __future__ import annotations

import re

from ftbridge.dataset.canonical.example import Assistant, Message
from ftbridge.dataset.findings import Diagnostics

_MODELS = re.compile(
    r"Qwen/Qwen3-(\d[\d.]*B(-A\d+B)?(-Base)?|Next-80B-A3B-Thinking)|Qwen/Qwen3\.[56]-.*"
    r"|zai-org/GLM-.*|google/gemma-4-.*|openai/gpt-oss-.*",
    re.IGNORECASE,
)


def is_reasoning_model(model: str) -> bool:
    """Whether Together lists the model as one to be trained with reasoning."""
    return _MODELS.fullmatch(model) is not None


def check_answers(messages: list[Message], model: str, diagnostics: Diagnostics) -> None:
    """Report what is not trained of a chat for a reasoning model, and a last answer without reasoning."""
    answers = [(at, message) for at, message in enumerate(messages) if type(message) is Assistant]
    if not answers:
        return
    at, last = answers[-1]
    if last.weight == 0:
        diagnostics.error(
            f"$.messages[{at}].weight",
            "nothing_trained",
            f"Together trains only the last answer of an example for {model}, and this one has weight 0",
            "End the example with an answer to be learnt.",
        )
    elif any(message.weight != 0 for _, message in answers[:-1]):
        diagnostics.changed("earlier_answers_not_trained")
    expect_reasoning([last], f"$.messages[{at}]", model, diagnostics)


def expect_reasoning(output: list[Message], path: str, model: str, diagnostics: Diagnostics) -> None:
    """Warn, once for a file, of an answer without reasoning, for a model that can unlearn it."""
    if diagnostics.has("warning", "reasoning_missing") or any(map(_is_reasoned, output)):
        return
    diagnostics.warning(
        path,
        "reasoning_missing",
        f"{model} is a reasoning model, which by Together's documents can unlearn to reason where answers have none",
        "Add reasoning_content to the answers, or choose an instruct model.",
    )


def warn_of_reasoning(messages: list[Message], root: str, model: str, diagnostics: Diagnostics) -> None:
    """Warn, once for a file, of reasoning for a model that is not listed as trained on it."""
    if diagnostics.has("warning", "reasoning_not_listed"):
        return
    for at, message in enumerate(messages):
        if _is_reasoned(message):
            diagnostics.warning(
                f"{root}[{at}].reasoning_content",
                "reasoning_not_listed",
                f"Together's documents do not list {model} among the models that are trained on reasoning",
                "Choose a reasoning model, or remove the reasoning.",
            )


def _is_reasoned(message: Message) -> bool:
    return type(message) is Assistant and message.reasoning_content is not None
