"""Following jobs: scheduling, hooks, webhooks, trackers."""
