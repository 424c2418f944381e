"""What training and hosting cost: quotes, budgets, and what has been spent."""
