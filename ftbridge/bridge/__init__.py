"""The one class people use, and the protocols behind it."""

from ftbridge.bridge.bridge import Bridge
from ftbridge.bridge.compare import Machine, Offer
from ftbridge.bridge.evaluate import Evaluation, Score
from ftbridge.bridge.rebuilding import Found

__all__ = ["Bridge", "Evaluation", "Found", "Machine", "Offer", "Score"]
