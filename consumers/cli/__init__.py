"""The `gsr` command: a file per group of commands, and what all commands share.

Only options, questions and printing live here; the work is elsewhere. Heavy imports wait until a
command runs.
"""

from consumers.cli.application import main

__all__ = ["main"]
