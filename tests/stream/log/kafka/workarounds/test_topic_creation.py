"""Questions about a topic do not create it."""

from types import SimpleNamespace

from kafka.net.compat import KafkaNetClient

from stream.log.kafka.workarounds.topic_creation import never_create_topics


def test_the_library_still_loses_the_setting() -> None:
    """Where it no longer does, `never_create_topics` has nothing to do and can go."""
    connections = KafkaNetClient(allow_auto_create_topics=False)
    assert connections.cluster.config["allow_auto_create_topics"] is True
    never_create_topics(connections)
    assert connections.cluster.metadata_request().allow_auto_topic_creation is False
    connections.close()


def test_another_library_is_left_alone() -> None:
    """One that keeps the setting elsewhere."""
    config: dict[str, bool] = {}
    never_create_topics(SimpleNamespace(cluster=SimpleNamespace(config=config)))
    assert config == {}
