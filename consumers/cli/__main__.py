"""Lets `python -m consumers.cli` do what `gsr` does."""

from consumers.cli import main

main()
