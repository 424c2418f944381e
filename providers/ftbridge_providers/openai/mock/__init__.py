"""OpenAI, mocked."""
