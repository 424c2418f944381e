"""Training: `python -m ftbridge_local.trainer JOBFOLDER`. Start reading at `train`."""
