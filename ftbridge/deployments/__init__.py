"""Tuned models that a vendor serves by the hour: deploying, listing, ending."""
