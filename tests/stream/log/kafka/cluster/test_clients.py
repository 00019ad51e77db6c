"""Clients that find no cluster leave nothing behind."""

import threading
from collections.abc import Callable

import psutil
import pytest
from kafka.errors import KafkaConnectionError

from stream.log.kafka.cluster.clients import Clients
from stream.log.kafka.cluster.settings import KafkaSettings

NOBODY = "127.0.0.1:1"


@pytest.mark.parametrize(
    "open_one",
    [
        lambda clients: clients.admin(3.0),
        lambda clients: clients.consumer("topic", "group"),
        lambda clients: clients.producer("name"),
    ],
    ids=["admin", "consumer", "producer"],
)
def test_a_client_that_finds_no_cluster_keeps_no_thread_and_no_file(
    open_one: Callable[[Clients], object],
) -> None:
    """A process that tries for hours must not run out of either."""
    clients = Clients(NOBODY, KafkaSettings(timeout_seconds=3.0))
    threads, files = threading.active_count(), psutil.Process().num_fds()
    with pytest.raises(KafkaConnectionError, match="ECONNREFUSED"):
        open_one(clients)
    assert threading.active_count() == threads
    assert psutil.Process().num_fds() <= files
