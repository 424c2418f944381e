"""Finding what is wrong with a dataset, and what to consider before paying."""
