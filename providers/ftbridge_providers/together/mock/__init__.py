"""Together AI, mocked."""
