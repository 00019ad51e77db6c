"""A broken promise on the topics is found, and a kept one is not."""

from dataclasses import replace

import pytest

from benchmarks.foreign_client.judgement import (
    ReadList,
    SentClick,
    judge_dead_letters,
    judge_lists,
)

CLICKS = [SentClick("u", "a", 3, 10.0), SentClick("u", "b", 7, 20.0)]
FIRST = ReadList("u", 0, 10.5, ("b", "c"), 1, 3)
LAST = ReadList("u", 1, 22.0, ("c", "d"), 2, 7)


def test_lists_that_keep_the_promises_are_blamed_for_nothing() -> None:
    """Each click waited for the first list that knows it."""
    found = judge_lists(CLICKS, [LAST, FIRST])
    assert not found.faults
    assert found.waits == [0.5, 2.0]


@pytest.mark.parametrize(
    ("fault", "lists"),
    [
        ("missing", []),
        ("stale", [FIRST]),
        ("seen", [FIRST, replace(LAST, items=("c", "a"))]),
        ("empty", [FIRST, replace(LAST, items=())]),
        ("repeated", [FIRST, replace(LAST, items=("c", "c"))]),
        ("backward", [replace(FIRST, model_version=3), LAST]),
        (
            "backward",
            [replace(FIRST, source_offset=7, items=("c",)), LAST, replace(FIRST, offset=2)],
        ),
        ("unasked", [FIRST, LAST, replace(LAST, user="v")]),
    ],
)
def test_a_broken_promise_is_found(fault: str, lists: list[ReadList]) -> None:
    """Every kind of fault is found by its name."""
    found = judge_lists(CLICKS, lists)
    assert found.faults[fault] == 1
    assert any(one.startswith(fault) for one in found.examples)


def test_dead_letters_match_the_poison_one_to_one() -> None:
    """A bad record without a letter, a letter too many and one of a good click are told apart."""
    assert not judge_dead_letters([(0, 1), (2, 5)], [(2, 5), (0, 1)]).faults
    found = judge_dead_letters([(0, 1), (2, 5)], [(0, 1), (0, 1), (3, 9)])
    assert found.faults == {
        "poison without a dead letter": 1,
        "dead letter twice": 1,
        "dead letter of a good click": 1,
    }
