"""Finding what is wrong with a dataset, and what to think about before paying."""
