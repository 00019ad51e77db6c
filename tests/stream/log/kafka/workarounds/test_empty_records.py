"""A record without key and value can be sent."""

import pytest

from stream.log.kafka.workarounds.empty_records import Boxed


@pytest.mark.parametrize("data", [None, b"", b"x"])
def test_what_is_in_the_box_is_sent(data: bytes | None) -> None:
    """Null stays null."""
    assert Boxed().serialize("clicks", [], (data,)) == data
