"""Transactions in bounded time, which another producer can take up.

Wrong: `commit_transaction` waits without end. And after an outage the transactional producer may be
    good for nothing: it takes a request that was not answered in time for fatal, commits although
    a batch has expired, and takes the coordinator's word on a transaction that took too long for
    that on one whose producer was replaced. `init_transactions` of another producer would lock out
    whoever has taken over meanwhile. Here, one presents what the last one was known by (KIP-360):
    the coordinator aborts what was left open and lets it go on, or refuses it where somebody has
    taken over.
Issue: not reported.
Probe: `fits`; elsewhere writers with a fence are refused, since without this none would be safe.
Until: `commit_transaction` takes a timeout, and the producer knows KIP-360.
"""

from typing import Any, Final, NamedTuple

import kafka
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError
from kafka.protocol.producer import InitProducerIdRequest

from stream.errors import LogError
from stream.log.kafka.cluster.library import has_all

# Since Kafka 2.7: earlier versions do not tell a producer that was replaced from a stale one.
_INIT_VERSION: Final = 4


class Identity(NamedTuple):
    """A transactional producer, as the coordinator knows it.

    Parameters
    ----------
    producer_id
        The cluster's number for the transactional id.
    epoch
        Grows with each producer of that id.
    """

    producer_id: int
    epoch: int


NOBODY: Final = Identity(-1, -1)
"""Presented by a new producer, which locks out every earlier one."""


def open_transactions(
    producer: KafkaProducer, predecessor: Identity, timeout_seconds: float
) -> Identity:
    """Make a producer ready for transactions; return what it is known by.

    Parameters
    ----------
    producer
        A new one, with a transactional id.
    predecessor
        Whose place it takes: the only one that it locks out, unless that is `NOBODY`.
    timeout_seconds
        The bound.

    Raises
    ------
    ProducerFencedError
        Another producer has taken the predecessor's place.
    KafkaError
        The coordinator did not answer, or refuses.
    LogError
        The library has changed so that this cannot be done.
    """
    if not fits(producer):
        raise LogError(
            f"kafka-python {kafka.__version__} has changed where gsr repairs its transactions: "
            "install the version that constraints.txt names"
        )
    manager: Any = producer._transaction_manager  # noqa: SLF001 - no public way
    with manager._lock:  # noqa: SLF001 - the same
        result = manager.initialize_transactions()
        _, _, handler = manager._pending_requests[0]  # noqa: SLF001 - the same
        handler.request = InitProducerIdRequest(
            transactional_id=manager.transactional_id,
            transaction_timeout_ms=manager.transaction_timeout_ms,
            producer_id=predecessor.producer_id,
            producer_epoch=predecessor.epoch,
            min_version=_INIT_VERSION,
            max_version=_INIT_VERSION,
        )
    _await(producer, result, "the coordinator has not let the producer in", timeout_seconds)
    known = manager.producer_id_and_epoch
    return Identity(known.producer_id, known.epoch)


def commit(producer: KafkaProducer, timeout_seconds: float) -> None:
    """Commit the transaction that was begun.

    Raises
    ------
    KafkaError
        It is not known to be committed; this producer must be given up.
    """
    result = producer._transaction_manager.begin_commit()  # noqa: SLF001 - `commit_transaction` never times out
    _await(producer, result, "the transaction has not ended", timeout_seconds)


def fits(producer: KafkaProducer) -> bool:
    """Return whether `producer` can be told what to present, and begins to commit on its own."""
    return has_all(
        getattr(producer, "_transaction_manager", None),
        "_lock",
        "_pending_requests",
        "begin_commit",
        "initialize_transactions",
        "producer_id_and_epoch",
        "transaction_timeout_ms",
        "transactional_id",
    ) and has_all(getattr(producer, "_sender", None), "wakeup")


def _await(producer: KafkaProducer, result: Any, otherwise: str, timeout_seconds: float) -> None:
    producer._sender.wakeup()  # noqa: SLF001 - as the producer's own methods do
    if not result.wait(timeout_ms=1000 * timeout_seconds):
        raise KafkaTimeoutError(otherwise)
