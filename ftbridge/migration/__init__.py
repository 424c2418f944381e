"""A job at another target: the plan, what it changes, and what closes when."""
