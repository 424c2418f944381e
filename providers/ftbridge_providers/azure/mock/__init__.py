"""Azure OpenAI, mocked."""
