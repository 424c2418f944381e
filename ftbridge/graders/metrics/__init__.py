"""Metrics by name: graders that compare an answer with the one its row expects."""

from collections.abc import Mapping

from ftbridge.graders.metrics.choice import Choice, choose_metric
from ftbridge.graders.metrics.exact import Exact
from ftbridge.graders.metrics.json_answers import Json
from ftbridge.graders.metrics.labels import Label
from ftbridge.graders.metrics.metric import GradedRow, Metric
from ftbridge.graders.metrics.texts import Text
from ftbridge.graders.metrics.tools import Tools

BUILT_IN: Mapping[str, type[Metric]] = {kind.name: kind for kind in (Exact, Label, Json, Tools, Text)}

__all__ = ["BUILT_IN", "Choice", "Exact", "GradedRow", "Json", "Label", "Metric", "Text", "Tools", "choose_metric"]
