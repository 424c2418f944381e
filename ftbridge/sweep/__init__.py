"""Many jobs on one dataset, one for each target and choice of hyperparameters, within one budget; the best is shown."""
