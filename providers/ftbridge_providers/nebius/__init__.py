"""Nebius Token Factory: OpenAI's API with its own hyperparameters, and weights that can be downloaded."""
