"""Settings of the simulated shop and its shoppers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

_EVENT_SHARES: Final[Mapping[str, float]] = MappingProxyType(
    {"click": 0.92, "cart": 0.05, "purchase": 0.03}
)

_RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "users": (1, 10_000_000),
        "items": (1, 10_000_000),
        "tastes": (1, 1e6),
        "start_time": (0, 1e11),
        "clicks_per_second": (1e-6, 1e9),
        "clicks_per_session": (1, 50),
        "seconds_between_clicks": (1e-3, 1e9),
        "follow_share": (0, 1),
        "followers": (1, 1e6),
        "taste_strength": (0, 1),
        "popularity_exponent": (0, 0.99),
        "activity_exponent": (0, 0.99),
        "item_half_life_seconds": (1, 1e12),
        "new_items_per_hour": (0, 1e6),
        "drift_interval_seconds": (1, 1e12),
        "drift_share": (0, 1),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """Settings of the simulator.

    Parameters
    ----------
    users, items
        Shoppers, and items at the start.
    tastes
        Groups of items; each shopper prefers one at a time.
    start_time
        Of the first session, seconds since the epoch.
    clicks_per_second
        Mean rate of clicks, of event time.
    clicks_per_session, seconds_between_clicks
        Means of a session's length (at most 50 clicks) and of its pauses.
    follow_share
        How often a click follows from the last item, to one of its next `followers` neighbours.
    followers
        How many items may follow an item.
    taste_strength
        How often a click that does not follow is on the shopper's taste; else on any item.
    popularity_exponent, activity_exponent
        Steepness of the power laws of item popularity and of shopper activity, 0 to 0.99.
    item_half_life_seconds
        How fast items lose popularity with age; None: never.
    new_items_per_hour
        Mean rate of new items, of event time.
    drift_interval_seconds
        Tastes and popularity change whenever this much event time has passed; None: never.
    drift_share
        Share of shoppers that change to another taste, and of items whose popularity changes, at
        each drift.
    event_shares
        Event name to how often it occurs.

    Raises
    ------
    ValueError
        A setting is out of range.
    """

    users: int = 5_000
    items: int = 1_000
    tastes: int = 12
    start_time: float = 1_700_000_000.0
    clicks_per_second: float = 20.0
    clicks_per_session: float = 5.0
    seconds_between_clicks: float = 30.0
    follow_share: float = 0.4
    followers: int = 3
    taste_strength: float = 0.8
    popularity_exponent: float = 0.8
    activity_exponent: float = 0.5
    item_half_life_seconds: float | None = 259_200.0
    new_items_per_hour: float = 20.0
    drift_interval_seconds: float | None = 21_600.0
    drift_share: float = 0.5
    event_shares: Mapping[str, float] = field(default_factory=lambda: _EVENT_SHARES)

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} is {value:g}: give {least:g} to {most:,.9g}")
        if self.items < self.tastes:
            raise ValueError(f"items is {self.items}: give at least one per taste ({self.tastes})")
        shares = self.event_shares.values()
        if not shares or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
            raise ValueError("event_shares must name at least one event with a share above 0")
