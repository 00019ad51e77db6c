"""Samples of items that stand for the whole catalogue: half of them recent clicks, half any."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel

KEPT_CLICKS: Final = 20_000
"""Newest clicks among which items are drawn by popularity."""


@lean_kernel
def note_clicks(
    clicked: npt.NDArray[np.int32],
    newest: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
    known: npt.NDArray[np.bool_],
    clicks: int,
) -> int:
    """Put clicks in the place of the oldest ones; return how many there were from the first on.

    Parameters
    ----------
    clicked
        int32 [n], item rows; those outside of `counts` are no clicks.
    newest
        int32 [kept], a ring.
    counts, known
        int64 and bool [rows], how often each item stands in the ring, and whether it may be drawn.
    clicks
        How many there were before.
    """
    for item in clicked:
        if not 0 <= item < len(counts):
            continue
        place = clicks % len(newest)
        if clicks >= len(newest) and counts[newest[place]] > 0:
            counts[newest[place]] -= 1
        newest[place] = item
        counts[item] += 1
        known[item] = True
        clicks += 1
    return clicks


class ItemSample:
    """Draws items.

    Parameters
    ----------
    size
        Draws of one sample, half of them among the newest clicks and half among all items that
        were clicked.
    rng
        Draws them.
    """

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self._half = size // 2
        self._rng = rng
        self._newest = np.zeros(KEPT_CLICKS, dtype=np.int32)
        self._clicks = 0
        self._counts = np.zeros(0, dtype=np.int64)  # among the newest
        self._known = np.zeros(0, dtype=np.bool_)
        self._top = 0  # one more than the highest row that was clicked

    def reserve(self, rows: int) -> None:
        """Make room for the items of the rows below `rows`."""
        more = rows - len(self._counts)
        if more > 0:
            self._counts = np.pad(self._counts, (0, more))
            self._known = np.pad(self._known, (0, more))

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Draw the items of `rows` no more."""
        rows = rows[rows < len(self._known)]
        self._known[rows] = False
        self._counts[rows] = 0

    def add(self, clicked: npt.NDArray[np.int32]) -> None:
        """Note clicks on items, int32 [n]; rows that there is no room for are no clicks."""
        self._clicks = note_clicks(clicked, self._newest, self._counts, self._known, self._clicks)
        self._top = min(max(self._top, int(clicked.max(initial=-1)) + 1), len(self._counts))

    def draw(
        self, clicked: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return distinct items, the `clicked` ones among them, and corrections of their scores.

        Parameters
        ----------
        clicked
            int32 [n], item rows.

        Returns
        -------
        items
            int32 [m], ascending.
        corrections
            float32 [m], the logarithm of each item's chance to be drawn.
        """
        held = min(self._clicks, len(self._newest))
        recent = self._newest[self._rng.integers(max(held, 1), size=self._half)][: held and None]
        anywhere = self._rng.integers(max(self._top, 1), size=self._half).astype(np.int32)
        drawn = np.concatenate((recent, anywhere[: self._top and None]))
        items = np.union1d(clicked, drawn[self._known[drawn]]).astype(np.int32)
        popular = self._counts[items] / max(held, 1)
        # A row is drawn with one chance in all rows below the top, known or not.
        never = (1.0 - popular) ** self._half * (1.0 - 1.0 / max(self._top, 2)) ** self._half
        return items, np.log(np.maximum(1.0 - never, 1e-9)).astype(np.float32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that goes on."""
        return {
            "newest": self._newest.copy(),
            "counts": self._counts.copy(),
            "known": self._known.copy(),
            "clicks": np.array([self._clicks, self._top], dtype=np.int64),
        }

    def load(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from what `arrays` returned."""
        self._newest = arrays["newest"].copy()
        self._counts = arrays["counts"].copy()
        self._known = arrays["known"].copy()
        self._clicks, self._top = map(int, arrays["clicks"])
