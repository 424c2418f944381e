"""Nebius Token Factory: OpenAI's API with hyperparameters of its own, and weights that can be taken home."""
