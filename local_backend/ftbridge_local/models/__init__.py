"""Models on this machine: where their files are, how they are loaded, and the base `tiny`, which is built here."""
