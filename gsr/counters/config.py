"""Settings that shape the counters of a partition."""

import math
from dataclasses import dataclass
from typing import Final

_LONGEST_BUFFER: Final = 4096
_SHORTEST_HALF_LIFE: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterConfig:
    """Settings that decide what counters look like; a store remembers its own and refuses others.

    Parameters
    ----------
    buffer_length
        Clicks kept per user, the newest by event time (L).
    seen_items
        Distinct items that a user's seen filter remembers after they left the buffer.
    neighbours
        Neighbours kept per item and time scale (K): a row holds up to 2K slots and is trimmed to
        the union of each scale's top K/2, those of close clicks included (less where many scales
        would fill the row with that).
    half_lives
        The time scales of edge weights and popularity, in seconds; with those of close clicks
        fewer than 2K.
    window_weights
        Weight of the edge from the last, last but one, … click of the user to a new one.
    close_clicks
        Two clicks of a user that are at most so many clicks apart are close to each other: each
        one's item counts the other's as a neighbour, whichever came first; 0: not counted.
    close_half_lives
        The time scales of that count, in seconds; none where `close_clicks` is 0.
    session_gap_seconds
        A longer pause between two clicks ends the window, and clicks across it are not close;
        None: never.
    user_ttl_seconds, item_ttl_seconds
        A user or an item without clicks for this long (by the watermark) expires; None: never.
        Items leave when the watermark passes a multiple of a sixteenth of it.
    max_items
        Items kept per partition; past it a sixteenth leaves, those clicked longest ago.
    feed_bytes
        Cap of the accepted feed's full chunks, in bytes before compression; the oldest leave.

    Raises
    ------
    ValueError
        A setting makes no sense; the message names it.
    """

    buffer_length: int = 64
    seen_items: int = 1000
    neighbours: int = 128
    half_lives: tuple[float, ...] = (600.0, 86_400.0, 2_592_000.0, 31_536_000.0)
    window_weights: tuple[float, ...] = (1.0, 1.0 / 2.0, 1.0 / 3.0)
    close_clicks: int = 5
    close_half_lives: tuple[float, ...] = (86_400.0, 31_536_000.0)
    session_gap_seconds: float | None = None
    user_ttl_seconds: float | None = None
    item_ttl_seconds: float | None = None
    max_items: int = 1_000_000
    feed_bytes: int = 256 * 1024 * 1024

    def __post_init__(self) -> None:
        scales = (*self.half_lives, *self.close_half_lives)
        lifetimes = (self.session_gap_seconds, self.user_ttl_seconds, self.item_ttl_seconds)
        rules = (
            (1 <= self.buffer_length <= _LONGEST_BUFFER, "buffer_length must be 1 to 4096"),
            (self.seen_items >= 0, "seen_items must not be negative"),
            (self.neighbours >= 1, "neighbours must be at least 1"),
            (
                self.half_lives and len(scales) < 2 * self.neighbours,
                (
                    "half_lives_seconds must name a time scale; with close_half_lives_seconds "
                    "fewer than 2 x neighbours"
                ),
            ),
            (
                all(_SHORTEST_HALF_LIFE <= h < math.inf for h in scales),
                "half_lives_seconds, close_half_lives_seconds must be one second or longer, each",
            ),
            (self.close_clicks >= 0, "close_clicks must not be negative"),
            (
                (self.close_clicks > 0) == bool(self.close_half_lives),
                "close_half_lives_seconds must name a time scale, or none where close_clicks is 0",
            ),
            (
                all(0 < w < math.inf for w in self.window_weights) and self.window_weights,
                "window_weights must be positive, at least one",
            ),
            (
                all(value is None or 0 < value < math.inf for value in lifetimes),
                "session_gap_seconds, user_ttl_seconds, item_ttl_seconds must be positive or None",
            ),
            (self.max_items >= 1, "max_items must be at least 1"),
            (self.feed_bytes >= 0, "feed_bytes must not be negative"),
        )
        for holds, message in rules:
            if not holds:
                raise ValueError(message)

    @property
    def row_slots(self) -> int:
        """Slots of a full row of the graph (2K)."""
        return 2 * self.neighbours

    @property
    def kept_per_scale(self) -> int:
        """Neighbours that each time scale keeps when a full row is trimmed.

        K/2, or less where the scales together would not leave a slot free.
        """
        scales = len(self.half_lives) + len(self.close_half_lives)
        fits = (self.row_slots - 1) // scales
        return max(1, min(self.neighbours // 2, fits))

    @property
    def pairs_per_click(self) -> int:
        """Clicks around a new one that are close to it or share an edge with it, at most.

        None where close clicks are not counted: edges are then enough.
        """
        reach = max(len(self.window_weights), self.close_clicks)
        return 2 * reach if self.close_clicks else 0
