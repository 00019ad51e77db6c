"""The `gsr` command: one file per group of commands; heavy imports wait until a command runs."""

from consumers.cli.application import main

__all__ = ["main"]
