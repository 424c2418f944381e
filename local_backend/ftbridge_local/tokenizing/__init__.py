"""Examples as rows of tokens, by the model's own tokenizer and chat template. Loads no torch."""
