"""OpenAI's hosted fine-tuning."""
