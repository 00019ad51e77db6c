"""Questions about a topic that never create it.

Wrong: `allow_auto_create_topics=False` is lost on its way to where the question is put, so that a
    cluster which creates topics by itself does so, with its own defaults.
Issue: https://github.com/dpkp/kafka-python/issues/2083, closed with the hint to that setting.
Probe: `fits`; elsewhere the setting alone is relied on.
Until: the setting arrives, which `test_the_library_still_loses_the_setting` tells.
"""

from typing import Final

from kafka.net.compat import KafkaNetClient

from stream.log.kafka.cluster.library import warn_unfit

_SETTING: Final = "allow_auto_create_topics"


def never_create_topics(connections: KafkaNetClient) -> None:
    """Let no question about a topic create it with the cluster's defaults."""
    if fits(connections):
        connections.cluster.config[_SETTING] = False
    else:
        warn_unfit("topic_creation", "questions may create topics, where the cluster does so")


def fits(connections: KafkaNetClient) -> bool:
    """Return whether the setting is where it is looked up."""
    return _SETTING in getattr(connections.cluster, "config", ())
