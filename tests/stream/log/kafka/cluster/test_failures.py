"""Each error of kafka-python means one of ours."""

import pytest
from kafka import errors

from stream.errors import FencedError, LogError, LogFullError, LogUnavailableError
from stream.log.kafka.cluster.failures import log_error


@pytest.mark.parametrize(
    ("error", "meaning", "retriable"),
    [
        (errors.KafkaTimeoutError(), LogUnavailableError, True),
        (errors.KafkaConnectionError("refused"), LogUnavailableError, True),
        (errors.NotEnoughReplicasError(), LogUnavailableError, True),
        (errors.CommitFailedError(), LogUnavailableError, True),
        (errors.IllegalGenerationError(), LogUnavailableError, True),
        (ConnectionResetError("reset"), LogUnavailableError, True),
        (errors.KafkaStorageError(), LogFullError, False),
        (errors.ProducerFencedError(), FencedError, False),
        (errors.FencedInstanceIdError(), FencedError, False),
        (errors.TopicAuthorizationFailedError("clicks"), LogError, False),
        (errors.SaslAuthenticationFailedError(), LogError, False),
        (errors.UnsupportedVersionError(), LogError, False),
        (errors.PolicyViolationError("no"), LogError, False),
    ],
)
def test_it_is_retriable_only_where_trying_again_helps(
    error: Exception, meaning: type[LogError], retriable: bool
) -> None:
    """The message says what was tried and why it failed."""
    told = log_error(error, "append to clicks")
    assert type(told) is meaning
    assert isinstance(told, LogError)
    assert told.retriable == retriable
    assert str(told).startswith("append to clicks: ")
    assert type(error).__name__ in str(told)


def test_the_client_s_class_is_named_once() -> None:
    """kafka-python's errors begin with it already."""
    told = str(log_error(errors.NotEnoughReplicasError("two of three"), "append"))
    assert told.count("NotEnoughReplicasError") == 1
    assert "two of three" in told
