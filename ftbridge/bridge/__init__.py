"""The one class people use, and the protocols behind it."""

from ftbridge.bridge.bridge import Bridge
from ftbridge.bridge.costs import Amount, Costs, total_of
from ftbridge.bridge.deployments import DeploymentInfo
from ftbridge.bridge.differences import Difference
from ftbridge.bridge.evaluate import Evaluation, Score
from ftbridge.bridge.lifecycle import Ending
from ftbridge.bridge.migrate import Migration, Moves
from ftbridge.bridge.moving_all import MassMove, Move
from ftbridge.bridge.offers import Machine, Offer
from ftbridge.bridge.paired import Paired
from ftbridge.bridge.taking_in import Found

__all__ = [
    "Amount",
    "Bridge",
    "Costs",
    "DeploymentInfo",
    "Difference",
    "Ending",
    "Evaluation",
    "Found",
    "Machine",
    "MassMove",
    "Migration",
    "Move",
    "Moves",
    "Offer",
    "Paired",
    "Score",
    "total_of",
]
