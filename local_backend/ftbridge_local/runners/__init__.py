"""Where jobs run: a runner starts, observes, steers and reads job folders, and knows nothing of training."""
