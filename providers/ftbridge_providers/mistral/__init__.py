"""Mistral's hosted fine-tuning, retired by Mistral in July 2026."""
