"""Ingest's note in the log whether each partition of `sequences` holds every user."""

from collections.abc import Mapping
from typing import Final

from consumers.config.settings import GsrConfig
from stream.log.interface import Log

RESENDING: Final = 0
"""Everybody's sequence is being sent again: until that is done, some may be missing."""
NOTHING_TO_SEND: Final = 1
"""Everybody's sequence was to be sent again, and the state knew of nobody."""


def sequence_group(config: GsrConfig) -> str:
    """Return the name under which the log remembers how far ingest has sent sequences."""
    return f"{config.ingest.group}-sequences"


def read_completeness(log: Log, config: GsrConfig) -> dict[int, int]:
    """Return the offset up to which each partition was appended to, or `RESENDING`.

    A partition is missing where nothing was ever appended, or where the topic was deleted.
    """
    return log.saved_positions(sequence_group(config), config.log.sequences)


def note_completeness(log: Log, config: GsrConfig, ends: Mapping[int, int]) -> None:
    """Save what `read_completeness` returns."""
    log.save_positions(sequence_group(config), config.log.sequences, ends)
