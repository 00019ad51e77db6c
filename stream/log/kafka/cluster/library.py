"""The installed kafka-python, and whether it is as its repairs expect."""

import functools
import logging
from typing import Any

import kafka

_logger = logging.getLogger(__name__)


def has_all(thing: Any, *names: str) -> bool:
    """Return whether `thing` has an attribute of each of `names`."""
    return all(hasattr(thing, name) for name in names)


@functools.cache
def warn_unfit(repair: str, instead: str) -> None:
    """Say once that a repair does not fit the installed version.

    Parameters
    ----------
    repair
        Its module in `stream.log.kafka.workarounds`.
    instead
        What happens without it, a clause.
    """
    _logger.warning(
        "kafka-python %s has changed where gsr repairs it (%s), so %s. "
        "Install the version that constraints.txt names.",
        kafka.__version__,
        repair,
        instead,
    )
