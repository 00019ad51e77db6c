"""What every test may use: real click logs and outside programs, present or accounted for."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consumers.runtime.threads import limit_threads
from tests.kafka_broker import KafkaAddress, kafka_cluster
from tests.kafka_jars import KafkaMissingError

limit_threads(1)  # in the processes that tests start, too
CLICK_LOGS = Path(__file__).resolve().parents[2] / "shared" / "data"


def missing(what: str) -> None:
    """Fail in CI, where everything must be there; skip with the reason elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}: CI must have it")
    pytest.skip(what)


@pytest.fixture
def click_log() -> Callable[[str], Path]:
    """Return a finder of real click logs, by name."""

    def find(name: str) -> Path:
        path = CLICK_LOGS / name / "events.csv.gz"
        if not path.is_file():
            missing(f"no click log {name} beside the checkout")
        return path

    return find


@pytest.fixture
def program() -> Callable[[str], str]:
    """Return a finder of outside programs, by name."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            missing(f"{name} is not installed")
            raise AssertionError
        return path

    return find


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[KafkaAddress]:
    """Run one Apache Kafka for all tests, or use the one that KAFKA_BOOTSTRAP_SERVERS names.

    Tests share it, so they use topics and groups with names of their own and leave the broker
    alone; one that kills brokers starts its own with `kafka_cluster`.
    """
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield KafkaAddress(given)
        return
    try:
        with kafka_cluster() as cluster:
            yield cluster.address
    except KafkaMissingError as error:
        missing(str(error))
