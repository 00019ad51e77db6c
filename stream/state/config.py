"""What shapes a partition's state."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StateConfig:
    """Settings that decide what state looks like; each store remembers them and refuses others.

    Parameters
    ----------
    buffer_length
        Clicks kept per user, the newest by event time (L).
    seen_items
        Distinct items that a user's seen filter remembers after they left the buffer.
    neighbours
        Neighbours kept per item and time scale (K): a row holds up to 2K slots and is trimmed to
        the union of each scale's top K/2.
    half_lives
        The time scales of edge weights and popularity, in seconds.
    window_weights
        Weight of the edge from the last, last but one, … click of the user to a new one.
    session_gap_seconds
        A longer pause between two clicks ends the window; None: never.
    user_ttl_seconds, item_ttl_seconds
        A user or an item without clicks for this long (by the watermark) expires; None: never.
    max_items
        Items kept per partition; past it those clicked longest ago leave.
    feed_bytes
        Cap of the accepted feed, in bytes; the oldest chunks leave.
    """

    buffer_length: int = 64
    seen_items: int = 1000
    neighbours: int = 64
    half_lives: tuple[float, ...] = (3600.0, 86_400.0, 2_592_000.0)
    window_weights: tuple[float, ...] = (1.0, 1.0 / 2.0, 1.0 / 3.0)
    session_gap_seconds: float | None = None
    user_ttl_seconds: float | None = None
    item_ttl_seconds: float | None = None
    max_items: int = 1_000_000
    feed_bytes: int = 256 * 1024 * 1024
