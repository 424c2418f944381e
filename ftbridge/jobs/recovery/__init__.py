"""What a crash left open, a ledger that was lost, and jobs made elsewhere."""
