"""Settings that shape counters."""

import pytest

from gsr.counters.config import CounterConfig


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("buffer_length", 0),
        ("seen_items", -1),
        ("neighbours", 0),
        ("half_lives", ()),
        ("half_lives", (0.5,)),
        ("close_half_lives", ()),
        ("close_half_lives", (0.5,)),
        ("close_half_lives", (60.0,) * 256),
        ("close_clicks", -1),
        ("close_clicks", 0),
        ("window_weights", ()),
        ("window_weights", (1.0, 0.0)),
        ("session_gap_seconds", 0.0),
        ("user_ttl_seconds", -1.0),
        ("item_ttl_seconds", float("nan")),
        ("max_items", 0),
        ("feed_bytes", -1),
    ],
)
def test_senseless_settings_are_named(setting: str, value: object) -> None:
    """A setting that makes no sense is refused by its name."""
    settings_: dict[str, object] = {setting: value}
    with pytest.raises(ValueError, match=setting):
        CounterConfig(**settings_)  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize(
    ("neighbours", "scales", "close", "kept"),
    [(64, 4, 0, 31), (64, 4, 2, 21), (64, 1, 1, 32), (1, 1, 0, 1), (2, 2, 1, 1), (8, 7, 0, 2)],
)
def test_what_a_scale_keeps_leaves_room_for_others(
    neighbours: int, scales: int, close: int, kept: int
) -> None:
    """Half of K each, unless the scales together would fill the row with that."""
    config = CounterConfig(
        neighbours=neighbours,
        half_lives=(60.0,) * scales,
        close_clicks=min(close, 1),
        close_half_lives=(60.0,) * close,
    )
    assert config.kept_per_scale == kept
    assert (scales + close) * kept < config.row_slots
