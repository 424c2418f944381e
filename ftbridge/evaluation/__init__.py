"""How good a tuned model is on rows it has not seen."""
