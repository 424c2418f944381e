"""One dataset, one job, any fine-tuning provider."""
