"""Mistral's hosted fine-tuning, which Mistral closed in July 2026."""
