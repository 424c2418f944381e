"""One job for one request, whatever dies when, and whatever the vendor answers."""
