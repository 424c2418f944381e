"""The durable store of jobs, uploads and intents."""

from ftbridge.ledger.answers import Asked, count_answers, forget_answers, store_answer, stored_answers, times_of_answers
from ftbridge.ledger.data_uses import OpenJob, Upload, open_jobs, uploads_of
from ftbridge.ledger.database import set_aside_if_damaged
from ftbridge.ledger.deliveries import (
    Delivery,
    count_deliveries,
    delivered,
    due,
    forget_hooks,
    postponed,
    register_hooks,
)
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
from ftbridge.ledger.filters import MEASUREMENT, JobFilter, filtered, providers_of_jobs
from ftbridge.ledger.moves import moved_from, moved_to, write_move
from ftbridge.ledger.record import Intent, Prepared, Record
from ftbridge.ledger.references import LAST, Found, find_record
from ftbridge.ledger.slots import has_free_slot, reserve_slot, waiting
from ftbridge.ledger.store import Ledger
from ftbridge.ledger.summaries import JobSummary, last_numbers, summaries, unfinished
from ftbridge.ledger.sweeps import (
    SweepRow,
    TrialRow,
    begin_sweep,
    change_limit,
    decide,
    find_sweep,
    is_trial_of,
    sweep_names,
    trial_key,
    trial_rows,
)

__all__ = [
    "LAST",
    "MEASUREMENT",
    "Asked",
    "Delivery",
    "DeploymentRecord",
    "Found",
    "Intent",
    "JobFilter",
    "JobSummary",
    "Ledger",
    "OpenJob",
    "Prepared",
    "Record",
    "SweepRow",
    "TrialRow",
    "Upload",
    "adopt_deployment",
    "begin_deployment",
    "begin_sweep",
    "change_deployment",
    "change_limit",
    "count_answers",
    "count_deliveries",
    "decide",
    "delivered",
    "deployments_of",
    "deployments_since",
    "due",
    "end_deployment",
    "filtered",
    "find_record",
    "find_sweep",
    "forget_answers",
    "forget_deployment",
    "forget_hooks",
    "has_free_slot",
    "is_trial_of",
    "last_numbers",
    "moved_from",
    "moved_to",
    "open_deployments",
    "open_jobs",
    "postponed",
    "providers_of_jobs",
    "register_hooks",
    "reserve_slot",
    "set_aside_if_damaged",
    "store_answer",
    "stored_answers",
    "succeeded_targets",
    "summaries",
    "sweep_names",
    "times_of_answers",
    "trial_key",
    "trial_rows",
    "unfinished",
    "uploads_of",
    "waiting",
    "write_move",
]
