"""A transaction that was aborted is left out from its first record to its marker."""

import struct

import pytest

from stream.log.kafka.decoding.aborted import AbortedTransactions, is_abort_marker


def test_it_goes_from_its_first_offset_to_its_marker() -> None:
    """Whatever the order in which they are listed; one producer may have several."""
    aborted = AbortedTransactions([(7, 20), (7, 3), (8, 5)])
    assert 7 not in aborted
    aborted.advance(2)
    assert 7 not in aborted
    aborted.advance(3)
    assert 7 in aborted
    assert 8 not in aborted
    aborted.end(7)
    assert 7 not in aborted
    aborted.advance(30)
    assert 7 in aborted
    assert 8 in aborted


def test_a_marker_of_who_has_none_is_nothing() -> None:
    aborted = AbortedTransactions([])
    aborted.end(7)
    assert 7 not in aborted


@pytest.mark.parametrize(
    ("version", "kind", "aborts"), [(0, 0, True), (0, 1, False), (3, 0, True), (0, 7, False)]
)
def test_the_key_says_which_marker_it_is(version: int, kind: int, *, aborts: bool) -> None:
    """Later versions may have more behind it."""
    assert is_abort_marker(struct.pack(">hh", version, kind) + b"more") is aborts


@pytest.mark.parametrize("key", [None, b"", b"\0\0\0", struct.pack(">hh", -1, 0)])
def test_another_key_is_no_markers(key: bytes | None) -> None:
    with pytest.raises(ValueError, match="a control record has"):
        is_abort_marker(key)
