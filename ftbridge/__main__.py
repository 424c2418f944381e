"""`python -m ftbridge` is the command line."""

from ftbridge.cli.app import main

main()
