"""Services that train OpenAI's models, mocked."""
