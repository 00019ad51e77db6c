"""What callers can cause with every request does not fill the log."""

import logging
import socket

import pytest

from consumers.roles.serve.rare_warnings import EVERY_SECONDS, SERVER_LOGGER, RareWarnings
from stream.clock import ManualClock
from tests.consumers.serve_world import Api


def test_a_warning_is_told_once_a_minute() -> None:
    """With how many there were; each kind by itself, and errors always."""
    clock = ManualClock()
    rare = RareWarnings(clock)
    told = []

    def tell(level: int, text: str, *values: object) -> None:
        record = logging.LogRecord(SERVER_LOGGER, level, "", 1, text, values, None)
        if rare.filter(record):
            told.append(record.getMessage())

    for count in range(5):
        tell(logging.WARNING, "no HTTP of %d", count)
    tell(logging.WARNING, "too many")
    for _ in range(2):
        tell(logging.ERROR, "broken")
        tell(logging.INFO, "begun")
    for count in (5, 6):
        clock.sleep(EVERY_SECONDS)
        tell(logging.WARNING, "no HTTP of %d", count)
    assert told == [
        "no HTTP of 0",
        "too many",
        *("broken", "begun", "broken", "begun"),
        "no HTTP of 5 (4 more since this was told last)",
        "no HTTP of 6",
    ]


def test_requests_that_are_none_are_told_of_once(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """However many come."""
    caplog.set_level(logging.WARNING)
    where = api.role.address
    for _ in range(20):
        with socket.create_connection((where.host, where.port), 60) as connection:
            connection.sendall(b"\x00\x01 nonsense\r\n\r\n")
            assert b"400" in connection.recv(1000)
    assert len([one for one in caplog.records if one.name == SERVER_LOGGER]) <= 1
