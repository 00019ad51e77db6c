"""Errors of kafka-python, as errors of the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kafka import errors

from stream.errors import FencedError, LogError, LogFullError, LogUnavailableError
from stream.log.kafka.cluster.reachability import Reachability

STATIC_NAME_TAKEN: Final = (
    "another process has taken over this one's group_instance_id ({reason}); stop one of the two, "
    "and give each its own: docs/kafka.md, 'Static members', says where it comes from, and what to "
    "delete where a state directory was copied"
)

# First match first: what kafka-python raised, what that is here, what the message says.
_MEANINGS: Final[tuple[tuple[tuple[type[Exception], ...], type[LogError], str], ...]] = (
    (
        (
            errors.ProducerFencedError,
            errors.InvalidProducerEpochError,
            errors.TransactionCoordinatorFencedError,
        ),
        FencedError,
        "another process has taken over ({reason}), this one must stop",
    ),
    ((errors.FencedInstanceIdError,), FencedError, STATIC_NAME_TAKEN),
    (
        (errors.KafkaStorageError,),
        LogFullError,
        "a broker's disk is full or failing ({reason}); free space there and restart the broker",
    ),
    (
        (
            errors.AuthorizationError,
            errors.SaslAuthenticationFailedError,
            errors.UnsupportedSaslMechanismError,
            errors.IllegalSaslStateError,
        ),
        LogError,
        "the cluster refuses these credentials ({reason}); correct [kafka] or its rights",
    ),
    (
        (errors.UnknownTopicIdError, errors.InconsistentTopicIdError),
        LogUnavailableError,
        "the topic that was read is gone ({reason}): deleted, and perhaps another one made",
    ),
    (
        (errors.UnknownTopicOrPartitionError,),
        LogUnavailableError,
        "there is no such topic ({reason}): it was deleted, or was created this moment",
    ),
    (
        (errors.UnsupportedVersionError,),
        LogError,
        "the brokers are too old ({reason}); use Apache Kafka 2.7 or newer",
    ),
)
# Passing, although kafka-python does not mark them so.
_PASSING: Final = (
    errors.RetriableError,
    errors.KafkaTimeoutError,
    errors.KafkaConnectionError,
    errors.UnknownError,
    errors.BrokerNotAvailableError,
    errors.Cancelled,
    errors.CommitFailedError,
    errors.UnknownMemberIdError,
    errors.IllegalGenerationError,
    errors.RebalanceInProgressError,
    errors.OutOfOrderSequenceNumberError,
    errors.UnknownProducerIdError,
    errors.TransactionAbortableError,
)
# What a client says of a cluster that it cannot reach; why, it does not say.
_UNREACHED: Final = (
    errors.KafkaConnectionError,
    errors.KafkaTimeoutError,
    errors.NodeNotReadyError,
    errors.BrokerNotAvailableError,
    errors.RequestTimedOutError,
    errors.Cancelled,
    errors.InvalidReceiveError,
    OSError,
)


def is_too_large(error: BaseException | None) -> bool:
    """Return whether a broker, or the client, takes no record of that size."""
    return isinstance(error, errors.MessageSizeTooLargeError | errors.RecordListTooLargeError)


def is_passing(error: Exception) -> bool:
    """Return whether the same request may succeed later."""
    return isinstance(error, (*_PASSING, OSError)) or bool(getattr(error, "retriable", False))


def log_error(error: Exception, doing: str, brokers: Reachability | None = None) -> LogError:
    """Return the log's error for kafka-python's `error`.

    Parameters
    ----------
    error
        What kafka-python raised.
    doing
        What was tried, as ``"append to clicks"``; begins the message.
    brokers
        Which of them cannot be reached: kafka-python's errors do not say it.
    """
    # The text of kafka-python's own errors begins with their class.
    detail = error.args if isinstance(error, errors.KafkaError) else (error,)
    reason = ": ".join(filter(None, (type(error).__name__, *map(str, detail))))
    for kinds, meaning, what_to_do in _MEANINGS:
        if isinstance(error, kinds):
            return meaning(f"{doing}: {what_to_do.format(reason=reason)}")
    unreached = brokers.told() if brokers and isinstance(error, _UNREACHED) else ""
    if unreached:
        return LogUnavailableError(f"{doing}: cannot reach Kafka at {unreached}")
    if is_passing(error):
        return LogUnavailableError(f"{doing}: Kafka cannot do it just now ({reason})")
    return LogError(f"{doing}: {reason}")


@contextmanager
def kafka_errors(doing: str, brokers: Reachability | None = None) -> Iterator[None]:
    """Turn kafka-python's errors inside the block into the log's."""
    try:
        yield
    except (errors.KafkaError, OSError) as error:
        raise log_error(error, doing, brokers) from error
