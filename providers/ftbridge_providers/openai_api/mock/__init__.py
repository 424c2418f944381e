"""The protocol, mocked: what the mocks of OpenAI, Azure and Nebius have in common."""
