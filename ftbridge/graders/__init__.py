"""How an answer is scored: OpenAI's grader objects, the same for evaluation and for reinforcement."""

from ftbridge.graders.context import GradingContext
from ftbridge.graders.grade import ErrorCode, Grade, GradeError
from ftbridge.graders.judge import Complete
from ftbridge.graders.metrics import BUILT_IN, Choice, GradedRow, Metric, choose_metric
from ftbridge.graders.parse import parse_grader
from ftbridge.graders.python.process import PythonLimits
from ftbridge.graders.run import check_runnable, models_of_grader, run_grader
from ftbridge.graders.sample import sample_of
from ftbridge.graders.similarity import Embed
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
    "BUILT_IN",
    "Choice",
    "Complete",
    "Embed",
    "ErrorCode",
    "Grade",
    "GradeError",
    "GradedRow",
    "Grader",
    "GraderMessage",
    "GradingContext",
    "LabelModel",
    "Metric",
    "Multi",
    "PartGrader",
    "PythonGrader",
    "PythonLimits",
    "SamplingParams",
    "ScoreModel",
    "StringCheck",
    "TextSimilarity",
    "check_runnable",
    "choose_metric",
    "keys_read",
    "models_of_grader",
    "parse_grader",
    "run_grader",
    "sample_of",
]
