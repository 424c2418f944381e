"""The durable store of jobs, uploads and intents."""

from ftbridge.ledger.database import set_aside_if_damaged
from ftbridge.ledger.deliveries import Delivery, delivered, due, postponed
from ftbridge.ledger.deployments import (
    DeploymentRecord,
    adopt_deployment,
    begin_deployment,
    change_deployment,
    deployments_of,
    deployments_since,
    end_deployment,
    forget_deployment,
    open_deployments,
    succeeded_targets,
)
from ftbridge.ledger.glances import Glance, glances, last_numbers, unfinished
from ftbridge.ledger.moves import moved_from, moved_to, write_move
from ftbridge.ledger.places import has_place, take_place, waiting
from ftbridge.ledger.record import Intent, Prepared, Record
from ftbridge.ledger.store import Ledger

__all__ = [
    "Delivery",
    "DeploymentRecord",
    "Glance",
    "Intent",
    "Ledger",
    "Prepared",
    "Record",
    "adopt_deployment",
    "begin_deployment",
    "change_deployment",
    "delivered",
    "deployments_of",
    "deployments_since",
    "due",
    "end_deployment",
    "forget_deployment",
    "glances",
    "has_place",
    "last_numbers",
    "moved_from",
    "moved_to",
    "open_deployments",
    "postponed",
    "set_aside_if_damaged",
    "succeeded_targets",
    "take_place",
    "unfinished",
    "waiting",
    "write_move",
]
