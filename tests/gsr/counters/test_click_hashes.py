"""Hashes that tell the events of one user apart, as state on disk holds them."""

from tests.stream.events.click_records import click_hash


def test_hashes_tell_events_apart() -> None:
    """Item, time and event name count, unless an event id does; its spelling is its own space."""
    hashes = {
        click_hash("i1", 1.0, "click"),
        click_hash("i2", 1.0, "click"),
        click_hash("i1", 2.0, "click"),
        click_hash("i1", 1.0, "view"),
        click_hash("i1", 1.0, "click", "i1"),
        click_hash("i1", 1.0, "click", "e1"),
    }
    assert len(hashes) == 6
    assert click_hash("i1", -0.0, "click") == click_hash("i1", 0.0, "click")


def test_hashes_are_stable() -> None:
    """State on disk holds hashes: they must never change."""
    assert click_hash("item-1", 1506826800.5, "click") == 3110522329924643570
    assert click_hash("item-1", 1506826800.5, "click", "event-1") == 9657204675973476636
