"""A producer that is given up leaves no thread."""

from types import SimpleNamespace
from typing import Any

import pytest

from stream.log.kafka.workarounds.producer_closing import discard


def producer(*, alive: bool, fails: bool = False) -> Any:
    """Return a producer that notes what is done to its thread."""
    ended: list[bool] = []

    def force_close() -> None:
        ended.append(True)
        if fails:
            raise OSError

    sender = SimpleNamespace(is_alive=lambda: alive, force_close=force_close, ended=ended)
    return SimpleNamespace(close=lambda timeout: timeout, _sender=sender)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("alive", [False, True])
def test_a_thread_that_goes_on_is_ended(*, alive: bool, fails: bool) -> None:
    """What it raises does not matter any more."""
    given_up = producer(alive=alive, fails=fails)
    discard(given_up)
    assert given_up._sender.ended == [True] * alive  # noqa: SLF001 - what is repaired


def test_another_library_is_only_closed() -> None:
    """Even if it cannot be."""
    closed: list[float] = []

    def close(timeout: float) -> None:
        closed.append(timeout)
        raise OSError

    discard(SimpleNamespace(close=close))
    assert closed == [1.0]
