"""How an answer is scored: OpenAI's grader objects, the same for evaluation and for reinforcement."""

from ftbridge.graders.parse import parse_grader
from ftbridge.graders.templates import keys_read
from ftbridge.graders.types import (
    Grader,
    GraderMessage,
    LabelModel,
    Multi,
    PartGrader,
    PythonGrader,
    SamplingParams,
    ScoreModel,
    StringCheck,
    TextSimilarity,
)

__all__ = [
    "Grader",
    "GraderMessage",
    "LabelModel",
    "Multi",
    "PartGrader",
    "PythonGrader",
    "SamplingParams",
    "ScoreModel",
    "StringCheck",
    "TextSimilarity",
    "keys_read",
    "parse_grader",
]
