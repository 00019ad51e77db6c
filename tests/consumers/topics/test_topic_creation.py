"""Which topics are missing, and that only those are named as made."""

from pathlib import Path

from consumers.config.settings import GsrConfig
from consumers.topics.topic_creation import create_topics, missing_topics
from stream.clock import ManualClock
from stream.log.opening import open_log


def test_what_is_missing_is_made_and_named(tmp_path: Path) -> None:
    """Once; what is there stays."""
    specs = GsrConfig().log.topics()
    names = [spec.name for spec in specs]
    log = open_log(f"embedded:{tmp_path / 'log'}", ManualClock(0.0))
    log.create_topic(specs[0])
    assert missing_topics(log, names) == names[1:]
    assert create_topics(log, specs) == names[1:]
    assert create_topics(log, specs) == []
    log.close()
