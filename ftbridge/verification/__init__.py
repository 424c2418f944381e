"""Whether what is served is what was trained: the same prompts, the same greedy answers, and if not, why."""
