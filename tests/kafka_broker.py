"""A real Apache Kafka on free loopback ports: for tests, for benchmarks, and for trying by hand.

::

    with kafka_cluster() as cluster:
        log = open_log(cluster.url, SystemClock())

`python -m tests.kafka_broker` (`make kafka`) starts one in the foreground.
"""

import argparse
import base64
import random
import shutil
import signal
import socket
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.kafka_jars import KafkaMissingError, kafka_jars
from tests.kafka_node import PORT_TAKEN, BrokerFailedError, KafkaNode

# Below the ports that the kernel gives to outgoing connections, which would take them meanwhile.
_PORTS: Final = range(20_000, 32_000)
_PORT_ATTEMPTS: Final = 3
# Less heap and less compiling than a server would want: a test broker lives for minutes.
JAVA_OPTIONS: Final = (
    "-Xms128m",
    "-Xmx448m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
)


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Where a cluster is.

    Parameters
    ----------
    bootstrap_servers
        ``host:port[,host:port…]``.
    """

    bootstrap_servers: str

    @property
    def url(self) -> str:
        """What `open_log` takes."""
        return f"kafka://{self.bootstrap_servers}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSecurity:
    """How clients must connect.

    Parameters
    ----------
    protocol
        Kafka's name of it: ``SSL``, ``SASL_PLAINTEXT`` or ``SASL_SSL``.
    properties
        The broker's settings for it.
    scram_users
        Name to password.
    """

    protocol: str
    properties: Mapping[str, str] = field(default_factory=dict)
    scram_users: Mapping[str, str] = field(default_factory=dict)


class KafkaCluster:
    """Brokers that run; each node can be killed, paused and restarted alone.

    Parameters
    ----------
    nodes
        The brokers, node 1 first.
    ports
        Where each listens for clients.
    """

    def __init__(self, nodes: Sequence[KafkaNode], ports: Sequence[int]) -> None:
        self.nodes = tuple(nodes)
        self.address = KafkaAddress(",".join(f"127.0.0.1:{port}" for port in ports))

    @property
    def bootstrap_servers(self) -> str:
        """``host:port[,host:port…]``."""
        return self.address.bootstrap_servers

    @property
    def url(self) -> str:
        """What `open_log` takes."""
        return self.address.url

    def restart(self, index: int = 0) -> None:
        """Start the broker at `index` after it was killed or stopped; wait until it serves."""
        self.nodes[index].start()
        self.nodes[index].await_ready()

    def stop(self) -> None:
        """End every broker; what they hold is thrown away, so none has to end in order."""
        for node in self.nodes:
            node.kill()


@contextmanager
def kafka_cluster(
    brokers: int = 1,
    *,
    properties: Mapping[str, str] | None = None,
    security: BrokerSecurity | None = None,
    java_options: Sequence[str] = JAVA_OPTIONS,
    ports: Sequence[int] | None = None,
    directory: Path | None = None,
) -> Iterator[KafkaCluster]:
    """Run a cluster while the block runs.

    The thread that enters must outlive the block: the brokers end with it.

    Parameters
    ----------
    brokers
        1 or 3; each is also a controller.
    properties
        Broker settings over the defaults here.
    security
        How clients must connect; None: in the clear.
    java_options
        Of each broker's virtual machine.
    ports
        Where clients connect, a port per broker; None: free ones.
    directory
        Where storage and `broker.log` go; None: a temporary one, kept where a broker failed.

    Raises
    ------
    KafkaMissingError
        This machine cannot run a broker.
    BrokerFailedError
        A broker did not start; the message ends with the end of its log.
    """
    jars = kafka_jars()
    base = Path(tempfile.mkdtemp(prefix="gsr-kafka-", dir=directory))
    cluster: KafkaCluster | None = None
    keep = False
    try:
        for attempt in range(_PORT_ATTEMPTS):
            client_ports = list(ports) if ports is not None else _free_ports(brokers)
            settings = _settings(client_ports, security, properties or {})
            nodes = [
                KafkaNode(row, base / f"{attempt}-{row}", jars, own, tuple(java_options))
                for row, own in enumerate(settings, start=1)
            ]
            cluster = KafkaCluster(nodes, client_ports)
            try:
                _start(cluster, security)
            except BrokerFailedError as error:
                cluster.stop()
                if PORT_TAKEN not in str(error) or attempt == _PORT_ATTEMPTS - 1:
                    raise
            else:
                break
        if cluster is not None:
            yield cluster
    except BrokerFailedError:
        keep = True  # for whoever reads the message, which names the file
        raise
    finally:
        if cluster is not None:
            cluster.stop()
        if not keep:
            shutil.rmtree(base, ignore_errors=True)


def _start(cluster: KafkaCluster, security: BrokerSecurity | None) -> None:
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    users = dict(security.scram_users) if security is not None else {}
    for node in cluster.nodes:
        node.format(cluster_id, scram_users=users)
    for node in cluster.nodes:
        node.start()
    for node in cluster.nodes:
        node.await_ready()


def _settings(
    ports: Sequence[int], security: BrokerSecurity | None, properties: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return each broker's settings."""
    others = _free_ports(2 * len(ports), taken=ports)
    controllers, internal = others[: len(ports)], others[len(ports) :]
    voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in enumerate(controllers, start=1))
    protocol = "PLAINTEXT" if security is None else security.protocol
    return [
        {
            "process.roles": "broker,controller",
            "node.id": str(row + 1),
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": (
                f"CLIENT://127.0.0.1:{port},INTERNAL://127.0.0.1:{internal[row]},"
                f"CONTROLLER://127.0.0.1:{controllers[row]}"
            ),
            "advertised.listeners": (
                f"CLIENT://127.0.0.1:{port},INTERNAL://127.0.0.1:{internal[row]}"
            ),
            "listener.security.protocol.map": (
                f"CLIENT:{protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
            ),
            "inter.broker.listener.name": "INTERNAL",
            **_small(len(ports)),
            **(security.properties if security is not None else {}),
            **properties,
        }
        for row, port in enumerate(ports)
    ]


def _small(brokers: int) -> dict[str, str]:
    """Return settings that make a broker light and quick to react; the promises stay."""
    replicas, in_sync = str(min(3, brokers)), str(max(1, min(3, brokers) - 1))
    return {
        "auto.create.topics.enable": "true",  # the default, against which clients must stand
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "log.cleaner.dedupe.buffer.size": str(8 << 20),
        "log.cleaner.backoff.ms": "100",
        "log.retention.check.interval.ms": "500",
        "broker.session.timeout.ms": "6000",
        "broker.heartbeat.interval.ms": "1000",
    }


def _free_ports(count: int, taken: Sequence[int] = ()) -> list[int]:
    ports: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in taken:
            ports.append(port)
        if len(ports) == count:
            return ports
    raise BrokerFailedError("no free ports on the loopback address")


def main() -> int:
    """Run a cluster in the foreground until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Run Apache Kafka here until Ctrl-C.")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    parser.add_argument("--port", type=int, default=9092, help="of the first broker")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ports = [arguments.port + row for row in range(arguments.brokers)]
    try:
        print("Starting Apache Kafka …", flush=True)
        with kafka_cluster(arguments.brokers, ports=ports) as cluster:
            print(f"Ready: {cluster.url} (records are gone when it stops; Ctrl-C stops it)")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        print("Stopped.")
    except (KafkaMissingError, BrokerFailedError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
