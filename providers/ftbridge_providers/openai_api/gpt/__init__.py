"""Training OpenAI's own models, at OpenAI or at Azure: methods, rows, tokens, result files."""
