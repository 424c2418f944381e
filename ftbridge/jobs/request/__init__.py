"""A request before it is sent: the intent, the prepared files, and the checks that may refuse it."""
