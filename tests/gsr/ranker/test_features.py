"""Features and where they stand."""

import numpy as np
import pytest

from gsr.ranker.features import (
    GROUPS,
    HISTORY,
    HISTORY_SHARES,
    LAST_SHARES,
    TOGETHER,
    feature_layout,
)

HOUR, DAY, YEAR = 3600.0, 86_400.0, 31_536_000.0


def test_every_feature_stands_where_kernels_look_for_it() -> None:
    """Popularity first, then votes, then the rest; on any number of time scales."""
    for half_lives, close in (
        ((HOUR, DAY, YEAR), (DAY, YEAR)),
        ((DAY,), ()),
        ((60.0,) * 6, (1.0,)),
    ):
        layout = feature_layout(half_lives, close)
        places, names = layout.places, [feature.name for feature in layout.features]
        assert places.features == len(names) == len(layout.offsets)
        assert names[0].startswith("popularity_")
        votes = names[places.first_vote : places.first_vote + places.votes]
        assert all(name.startswith("last_share_") for name in votes[LAST_SHARES:HISTORY])
        assert not any("share" in name for name in votes[HISTORY:HISTORY_SHARES])
        assert all(name.startswith("history_") for name in votes[HISTORY:HISTORY_SHARES])
        assert all(name.startswith("history_share_") for name in votes[HISTORY_SHARES:TOGETHER])
        assert votes[places.own_clicks] == "own_clicks"
        assert len(votes[TOGETHER : places.own_clicks]) == len(close)
        assert names[places.since_last_click] == "since_last_click"
        assert names[places.new] == names[-1] == "new"
        assert layout.channels.tolist() == list(range(places.own_clicks + 1))


def test_time_scales_are_told_by_their_length() -> None:
    """Whatever their order is; each close one goes with the nearest of the others."""
    layout = feature_layout((YEAR, 600.0, 2 * DAY), (DAY, YEAR))
    assert (layout.places.short, layout.places.middle, layout.places.long) == (1, 2, 0)
    assert layout.close_scales.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("half_lives", "named"),
    [
        ((40 * DAY, YEAR, 11 * YEAR, 1100 * YEAR), (0, 1, 3)),
        ((1.0, 60.0, 600.0, 1800.0), (2, 3, 3)),
        ((60.0, HOUR, DAY), (1, 2, 2)),
        ((DAY, YEAR), (0, 0, 1)),
        ((DAY,), (0, 0, 0)),
        ((HOUR, HOUR), (0, 0, 1)),
    ],
)
def test_the_middle_scale_lies_between_the_others(
    half_lives: tuple[float, ...], named: tuple[int, int, int]
) -> None:
    """Where one does; also where all are much longer than a day, or shorter than an hour."""
    places = feature_layout(half_lives, ()).places
    assert (places.short, places.middle, places.long) == named


def test_groups_are_switched_off_by_name() -> None:
    """All features of a group, and no others; a misspelt name is refused."""
    layout = feature_layout((HOUR, YEAR), (DAY,))
    assert {feature.group for feature in layout.features} == set(GROUPS)
    on = layout.switched_on(["together", "own clicks"])
    off = [f.name for f, there in zip(layout.features, on, strict=True) if not there]
    assert off == ["together_1d", "own_clicks", "own_recency"]
    assert layout.switched_on([]).all()
    with pytest.raises(ValueError, match="votez"):
        layout.switched_on(["votez"])
    assert np.isfinite(np.log(layout.offsets[:-1])).all()
