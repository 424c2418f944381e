"""Together AI's hosted fine-tuning."""
