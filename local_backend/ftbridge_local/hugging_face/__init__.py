"""Training on Hugging Face Jobs."""
