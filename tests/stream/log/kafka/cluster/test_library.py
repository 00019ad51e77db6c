"""A repair that does not fit is said once, with what happens instead."""

import logging

import pytest

from stream.log.kafka.cluster.library import has_all, warn_unfit


def test_all_names_must_be_there() -> None:
    assert has_all("text", "upper", "lower")
    assert not has_all("text", "upper", "raise")
    assert not has_all(None, "upper")


def test_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """For each repair, with the version and the way out."""
    warn_unfit.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            warn_unfit("fast_fetch", "reading is slower")
        warn_unfit("topic_pin", "a question follows")
    first, second = (record.getMessage() for record in caplog.records)
    assert "(fast_fetch), so reading is slower. Install the version" in first
    assert "(topic_pin), so a question follows" in second
