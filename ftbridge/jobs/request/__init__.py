"""What is asked for, before it is sent: the intent, the prepared files, and what forbids it."""
