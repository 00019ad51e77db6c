"""The item control record."""

from stream.events.records.item_control import ItemControl
from tests.stream.events.click_records import NOW


def test_an_item_is_recommendable_while_available_and_unexpired() -> None:
    """The moment of expiry itself is too late."""
    assert ItemControl(item_id="i").recommendable(NOW)
    assert not ItemControl(item_id="i", available=False).recommendable(NOW)
    assert ItemControl(item_id="i", expires_at=NOW).recommendable(NOW - 1)
    assert not ItemControl(item_id="i", expires_at=NOW).recommendable(NOW)
