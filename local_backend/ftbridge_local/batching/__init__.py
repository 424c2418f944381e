"""Greedy answers to many prompts at once, with continuous batching: the same tokens as one prompt at a time."""
