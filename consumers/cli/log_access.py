"""The configured log, opened for a command; only commands that fill it make topics."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:  # they would slow `gsr --help` down
    from consumers.config.settings import GsrConfig
    from stream.log.interface import Log, TopicSpec


@contextmanager
def open_log_to_fill(config: "GsrConfig") -> "Iterator[Log]":
    """Open the log for a command that fills it; topics that are missing are made, and named."""
    from consumers.topics.topic_creation import create_topics

    with open_configured_log(config) as log:
        say_made_topics(config, create_topics(log, config.log.topics()))
        yield log


def say_made_topics(config: "GsrConfig", topics: Sequence[str]) -> None:
    """Name the topics that a command made, if any."""
    from consumers.cli.output import say

    if topics:
        say(f"made the topics {', '.join(topics)} in {config.log.url}")


@contextmanager
def open_existing_log(config: "GsrConfig", *topics: str) -> "Iterator[Log]":
    """Open the log for the length of the block, for a command that needs `topics` to be there.

    Raises
    ------
    UnknownTopicError
        There is no log, or one of the topics is missing; nothing was made.
    """
    from consumers.topics.topic_creation import missing_topics

    with open_configured_log(config) as log:
        missing = missing_topics(log, topics)
        if missing:
            _refuse_missing(config, log, missing)
        yield log


def known_topics(config: "GsrConfig", log: "Log") -> "dict[str, TopicSpec]":
    """Return the settings of every topic of the log.

    Raises
    ------
    UnknownTopicError
        None of them is ours.
    """
    found, ours = log.topics(), [spec.name for spec in config.log.topics()]
    if found.keys().isdisjoint(ours):
        _refuse_missing(config, log, ours)
    return found


def _refuse_missing(config: "GsrConfig", log: "Log", missing: Sequence[str]) -> NoReturn:
    """Say which topics are not there, or that there is no log at all, and what to do."""
    from consumers.topics.topic_creation import missing_topics
    from stream.errors import UnknownTopicError

    ours = [spec.name for spec in config.log.topics()]
    what = f"there is no topic {', '.join(missing)} in {config.log.url}"
    if len(missing_topics(log, ours)) == len(ours):
        what = f"there is no log of gsr in {config.log.url}"
    raise UnknownTopicError(
        f"{what}: name the right one with --log (or log.url); gsr run and gsr ingest make topics "
        "that are missing, this command does not"
    )


@contextmanager
def open_configured_log(config: "GsrConfig") -> "Iterator[Log]":
    """Open the log for the length of the block, without a look at its topics."""
    from stream.clock import SystemClock
    from stream.log.opening import open_log

    log = open_log(config.log.url, SystemClock(), config.kafka)
    try:
        yield log
    finally:
        log.close()


def append_one(log: "Log", topic: str, key: bytes, value: bytes | None) -> tuple[int, int]:
    """Append one record; return its partition and offset."""
    from stream.log.interface import Outgoing

    writer = log.writer(topic)
    try:
        return writer.append([Outgoing(key=key, value=value)])[0]
    finally:
        writer.close()


def id_bytes(what: str, text: str) -> bytes:
    """Return a user's or item's id as the key of records, after checking it."""
    from stream.events.clicks.fields import id_fault

    fault = id_fault(what, text)
    if fault is not None:
        raise typer.BadParameter(fault.detail)
    return text.encode()
