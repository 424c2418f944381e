"""Reports of jobs to trackers of experiments: TensorBoard, MLflow, Weights & Biases, by their own packages.

A report is made of the ledger's events, so it is the same for every provider's jobs. What a tracker has already is
kept at the tracker, so that a report that is made again, or goes on after a crash, adds only what is new.
"""

from ftbridge.watching.trackers.report import Report, facts, find_tracker, metrics, run_name

__all__ = ["Report", "facts", "find_tracker", "metrics", "run_name"]
