"""Finding and creating the topics that a log lacks."""

from collections.abc import Sequence

from stream.errors import UnknownTopicError
from stream.log.interface import Log, TopicSpec


def missing_topics(log: Log, topics: Sequence[str]) -> list[str]:
    """Return those of `topics` that are not there."""
    missing = []
    for topic in topics:
        try:
            log.start_offsets(topic)
        except UnknownTopicError:
            missing.append(topic)
    return missing


def create_topics(log: Log, specs: Sequence[TopicSpec]) -> list[str]:
    """Make the topics that are not there; return their names.

    Raises
    ------
    LogError
        The log cannot be used, or a topic is there with other settings.
    """
    made = missing_topics(log, [spec.name for spec in specs])
    for spec in specs:
        log.create_topic(spec)
    return made
