"""The broker that the tests start comes back after a kill and hangs when told to."""

import socket

import pytest

from tests.conftest import missing
from tests.kafka_broker import kafka_cluster
from tests.kafka_jars import KafkaMissingError


@pytest.mark.kafka
def test_a_broker_can_be_killed_restarted_paused_and_leaves_nothing() -> None:
    """What chaos tests rely on."""
    try:
        with kafka_cluster() as cluster:
            (node,) = cluster.nodes
            host, _, port = cluster.bootstrap_servers.partition(":")
            first, log_file = node.pid, node.log_file
            node.kill()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, int(port)), timeout=5)
            cluster.restart()
            assert node.pid != first
            node.pause()
            assert node.running
            node.resume()
            node.stop()
            assert not node.running
    except KafkaMissingError as error:
        missing(str(error))
    assert not log_file.exists()


def test_a_machine_without_java_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message becomes the reason of a skip."""
    monkeypatch.setenv("PATH", "")
    with (
        pytest.raises(KafkaMissingError, match=r"^java is not installed: [^\n]*$"),
        kafka_cluster(),
    ):
        pass
