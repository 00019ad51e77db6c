"""A broker that does not answer in time ends no producer."""

from typing import Any
from unittest.mock import MagicMock

import pytest
from kafka import errors
from kafka.producer.transaction_manager import TxnRequestHandler

from stream.log.kafka.transactions import repeat_unanswered_requests


@pytest.fixture
def handler() -> Any:
    """Return a request that is under way, of a producer that is not there."""
    assert repeat_unanswered_requests()
    handler = MagicMock(spec=TxnRequestHandler)
    handler.request = None
    handler.transaction_manager = MagicMock(_in_flight_request_correlation_id=7)
    return handler


@pytest.mark.parametrize(
    "error",
    [
        errors.RequestTimedOutError("after 4999 ms"),
        errors.KafkaConnectionError("gone"),
        errors.Cancelled("closing"),
    ],
)
def test_passing_trouble_is_tried_again(handler: Any, error: Exception) -> None:
    """The same request goes out once more."""
    TxnRequestHandler.on_complete(handler, 7, error)
    handler.reenqueue.assert_called_once_with()
    handler.fatal_error.assert_not_called()


def test_what_cannot_pass_is_fatal(handler: Any) -> None:
    """Old brokers stay old, and a refusal stays a refusal."""
    for error in (errors.UnsupportedVersionError("old"), errors.TopicAuthorizationFailedError()):
        TxnRequestHandler.on_complete(handler, 7, error)
    assert handler.fatal_error.call_count == 2
    handler.reenqueue.assert_not_called()


def test_an_answer_is_handled(handler: Any) -> None:
    """As ever."""
    TxnRequestHandler.on_complete(handler, 7, "an answer")
    handler.handle_response.assert_called_once_with("an answer")


def test_it_is_done_once() -> None:
    """However many writers are opened."""
    repeat_unanswered_requests()
    before = TxnRequestHandler.on_complete
    repeat_unanswered_requests()
    assert TxnRequestHandler.on_complete is before
