"""Ingest stops when bad records are too many, wherever batches are cut."""

import pytest

from consumers.errors import TooManyBadError
from consumers.roles.ingest.dead_letter_policy import DeadLetterPolicy
from stream.events.clicks.bad_record import BadRecord


def _stops_at(places: list[int], total: int, batch: int, **limits: float) -> int | None:
    """Feed records 0 … total - 1, bad ones at `places`; return where it stops."""
    policy = DeadLetterPolicy(
        "clicks",
        3,
        max_share=limits.get("share", 0.5),
        window_records=int(limits.get("window", 10)),
        minimum_records=int(limits.get("minimum", 10)),
    )
    for start in range(0, total, batch):
        stop = min(start + batch, total)
        bad = [BadRecord(p - start, p, "empty", "no value") for p in places if start <= p < stop]
        try:
            policy.record(stop - start, bad)
        except TooManyBadError as error:
            return error.examples[-1][0]
    return None


@pytest.mark.parametrize("batch", [1, 3, 7, 100])
@pytest.mark.parametrize(
    ("places", "stop"),
    [
        ([], None),
        (list(range(50)), 9),
        ([0, 2, 4, 6, 8, 10, 12, 14], None),
        ([*range(30, 34), 36, 38], 38),
        ([*range(0, 100, 11)], None),
    ],
    ids=["none", "all", "half", "six of ten", "rare"],
)
def test_stops_at_the_same_record(places: list[int], stop: int | None, batch: int) -> None:
    """The decision is a function of the records alone."""
    assert _stops_at(places, 100, batch) == stop


def test_is_not_judged_too_early() -> None:
    """The first few records decide nothing."""
    assert _stops_at([0, 1, 2], 100, 10, minimum=10) is None
    assert _stops_at([0, 1, 2], 100, 10, minimum=3) == 2


def test_a_share_of_one_never_stops() -> None:
    """An operator may choose to set everything aside."""
    assert _stops_at(list(range(100)), 100, 10, share=1.0) is None


def test_the_error_says_where_why_and_what_to_do() -> None:
    """Offsets and reasons are in the message, and the setting to raise."""
    policy = DeadLetterPolicy("clicks", 3, max_share=0.0, window_records=5, minimum_records=1)
    with pytest.raises(TooManyBadError, match=r"clicks\[3\].*offset 7: future \(ms\?\).*max_bad"):
        policy.record(1, [BadRecord(0, 7, "future", "ms?")])
