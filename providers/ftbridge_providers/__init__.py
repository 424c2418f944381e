"""The hosted vendors, one room each; everything that knows a vendor is in its room."""
