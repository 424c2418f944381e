"""OpenAI's fine-tuning API as a protocol: what OpenAI, Azure and Nebius have in common.

`gpt/` adds what is common to the two that train OpenAI's own models.
"""
