"""The list of features, and the places by which kernels name them."""

import pytest

from gsr.baselines.ranker import features
from gsr.ranker.features import DAY_SECONDS


def test_places_are_those_of_the_names() -> None:
    """What kernels write at a place is what its name says."""
    places = {
        "popularity_10min": features.POPULARITY,
        "recent_10min": features.VOTES + features.RECENT,
        "recent_share_1h": features.VOTES + features.RECENT_SHARES,
        "last_share_1h": features.VOTES + features.LAST_SHARES,
        "history_1d": features.VOTES + features.HISTORY,
        "history_share_1d": features.VOTES + features.HISTORY_SHARES,
        "together_1d": features.VOTES + features.TOGETHER,
        "own_clicks": features.VOTES + features.OWN_CLICKS,
        "own_recency": features.VOTES + features.OWN_RECENCY,
        "since_last_click": features.SINCE_LAST_CLICK,
        "hour_of_day": features.HOUR_OF_DAY,
        "new": features.NEW,
    }
    assert {name: features.NAMES.index(name) for name in places} == places
    assert len(set(features.NAMES)) == len(features.NAMES)
    assert features.HALF_LIVES[features.HOUR] == 3600.0
    assert features.HALF_LIVES[features.DAY] == DAY_SECONDS
    assert features.HALF_LIVES[features.YEAR] == 365 * DAY_SECONDS


def test_groups_are_switched_off_by_name() -> None:
    """A group takes all of its features along; an unknown one is an error."""
    on = features.switched_on(["popularity", "together"])
    off = [name for name, used in zip(features.NAMES, on, strict=True) if not used]
    assert len(off) == features.SCALES + features.SHARED_SCALES
    assert all(name.startswith(("popularity_", "together_")) for name in off)
    assert features.switched_on([]).all()
    with pytest.raises(ValueError, match="astrology"):
        features.switched_on(["astrology"])
