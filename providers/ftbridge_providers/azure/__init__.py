"""Azure OpenAI in Microsoft Foundry: OpenAI's API at the customer's own address, with its own rules."""
