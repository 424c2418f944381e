"""The one class people use, and the protocols behind it."""

from ftbridge.bridge.bridge import Bridge
from ftbridge.bridge.evaluate import Evaluation, Score

__all__ = ["Bridge", "Evaluation", "Score"]
