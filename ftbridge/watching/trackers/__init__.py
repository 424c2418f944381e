"""Reports of jobs to trackers of experiments: TensorBoard, MLflow, Weights & Biases, by their own packages.

A report is made from the ledger's events, so it is the same for every provider's jobs. How much a tracker has
is stored at the tracker, so that a repeated report, or one that goes on after a crash, adds only what is new.
"""

from ftbridge.watching.trackers.report import Report, facts, find_tracker, metrics, run_name

__all__ = ["Report", "facts", "find_tracker", "metrics", "run_name"]
