"""A question is tried again for as long as that can help."""

import itertools
import logging
from collections.abc import Iterator

import pytest
from kafka.errors import KafkaConnectionError

from stream.address import Address
from stream.clock import ManualClock
from stream.log.kafka.cluster.patience import Patience
from stream.log.kafka.cluster.reachability import Reachability

REFUSED = KafkaConnectionError("111 ECONNREFUSED")
SILENT = KafkaConnectionError("Connection timed out")
ONE, TWO = Address("one", 9092), Address("two", 9092)


def tries(patience: Patience, clock: ManualClock) -> Iterator[float]:
    """Return the times of the tries until patience is at its end."""
    while True:
        yield clock.monotonic()
        if not patience.lasts(REFUSED, "find clicks"):
            return
        patience.pause()


def test_pauses_grow_to_a_second_within_the_budget() -> None:
    clock = ManualClock()
    patience = Patience(clock, 5.0, first=False, brokers=Reachability())
    times = list(tries(patience, clock))
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert pauses == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0])
    assert times[-1] < 5.0


def test_a_budget_can_be_shortened_and_not_lengthened() -> None:
    clock = ManualClock()
    patience = Patience(clock, 5.0, first=False, brokers=Reachability())
    patience.shorten(1.0)
    patience.shorten(3.0)
    assert list(tries(patience, clock))[-1] < 1.0


@pytest.mark.parametrize(
    ("failures", "gives_up"),
    [({ONE: REFUSED, TWO: REFUSED}, True), ({ONE: REFUSED, TWO: SILENT}, False)],
    ids=["all refuse", "one is silent"],
)
def test_a_cluster_that_never_answered_is_given_up_soon_where_all_refuse(
    failures: dict[Address, Exception], caplog: pytest.LogCaptureFixture, *, gives_up: bool
) -> None:
    """Most often its address is wrong. Who is silent may be slow: a warning, and on it goes."""
    clock, brokers = ManualClock(), Reachability()
    for broker, error in failures.items():
        brokers.failed(broker, error, list(failures), advertised=False)
    patience = Patience(clock, 30.0, first=True, brokers=brokers)
    assert patience.until == 1.5
    with caplog.at_level(logging.WARNING):
        times = list(tries(patience, clock))
    assert (times[-1] < 3.0) is gives_up
    assert caplog.text.count("find clicks: cannot reach Kafka at") == (not gives_up)
