"""Opens the configured log for a command that reads or appends a few records."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:  # they would slow `gsr --help` down
    from consumers.config import GsrConfig
    from stream.log.interface import Log


@contextmanager
def configured_log(config: "GsrConfig") -> "Iterator[Log]":
    """Open the log, with all topics in place, for the length of the block."""
    with log_as_it_is(config) as log:
        for spec in config.log.topics():
            log.create_topic(spec)
        yield log


@contextmanager
def log_as_it_is(config: "GsrConfig") -> "Iterator[Log]":
    """Open the log for the length of the block, whatever topics it has."""
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
    from stream.events.click_fields import id_fault

    fault = id_fault(what, text)
    if fault is not None:
        raise typer.BadParameter(fault.detail)
    return text.encode()
