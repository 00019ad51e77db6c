"""Trouble is counted by kind, from zero."""

from stream.log.kafka.cluster.trouble_counts import EVENTS, KafkaFigures


def test_every_kind_is_counted_apart() -> None:
    """Also by several at once."""
    figures = KafkaFigures()
    assert figures.counts() == dict.fromkeys(EVENTS, 0)
    figures.count("retries")
    figures.count("lost_partitions", 3)
    assert figures.counts() == dict.fromkeys(EVENTS, 0) | {"retries": 1, "lost_partitions": 3}


def test_a_fall_back_is_remembered() -> None:
    figures = KafkaFigures()
    assert not figures.fallback
    figures.fell_back()
    assert figures.fallback
