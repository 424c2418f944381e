"""One dataset at several targets: what each would cost, change and refuse."""
