"""Clusters of Kafka that a test has to itself, to be ill-treated or set up in its own way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.conftest import missing
from tests.kafka_broker import KafkaCluster, kafka_cluster
from tests.kafka_jars import KafkaMissingError


@contextmanager
def own_cluster(brokers: int = 1, **options: Any) -> Iterator[KafkaCluster]:
    """Run a cluster as `kafka_cluster` does; where there is no Kafka, its tests are left out."""
    try:
        with kafka_cluster(brokers, **options) as cluster:
            yield cluster
    except KafkaMissingError as error:
        missing(str(error))
