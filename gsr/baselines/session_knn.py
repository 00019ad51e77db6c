"""Session-based nearest neighbours: V-SKNN and VSTAN, kept up to date click by click.

A user's newest clicks find sessions of other users that share items with them, rare items and late
clicks counting more. The nearest vote for what else they contain, around the last shared click.
VSTAN also weighs how long ago the session was and how far from the shared click an item stands; a
third kind hears only what came after the shared click.

Sources: Ludewig and Jannach, "Evaluation of session-based recommendation algorithms" (2018), for
V-SKNN; Garg et al., "Sequence and time aware neighborhood for session-based recommendations"
(2019), for STAN.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.session_neighbours import KINDS, Neighbourhood, Workspace, rank_clicks
from gsr.baselines.session_store import NONE, SessionItems, new_store
from gsr.quality.ranking_metrics import MISS


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKnnConfig:
    """Settings of session kNN.

    Parameters
    ----------
    gap_seconds
        A longer pause ends a session; infinite: a user's whole history is one.
    clicks, click_decay
        So many of the user's newest clicks look for sessions; the one `back` clicks before the
        newest weighs ``exp(-back / click_decay)``.
    candidates, neighbours
        Newest clicks looked at per item, and newest sessions of all; how many of these vote.
    session_decay_seconds, distance_decay
        VSTAN: a session weighs ``exp(-age / session_decay_seconds)``, an item ``distance`` clicks
        further from the shared one than its neighbour ``exp(-distance / distance_decay)``.
    popularity_half_life_seconds
        Of the popularity that ranks items of equal score.
    kept_clicks, kept_sessions
        So many of the newest clicks and sessions are remembered; powers of two.

    Raises
    ------
    ValueError
        If `kept_clicks` or `kept_sessions` is no power of two.
    """

    gap_seconds: float = math.inf
    clicks: int = 10
    click_decay: float = 2.0
    candidates: int = 500
    neighbours: int = 200
    session_decay_seconds: float = 1e12
    distance_decay: float = 5.0
    popularity_half_life_seconds: float = 86_400.0
    kept_clicks: int = 2**21
    kept_sessions: int = 2**19

    def __post_init__(self) -> None:
        """Check the settings."""
        for name in ("kept_clicks", "kept_sessions"):
            kept = getattr(self, name)
            if kept.bit_count() != 1:
                raise ValueError(f"{name} must be a power of two: {kept}")


class SessionKnn:
    """V-SKNN and two kinds of VSTAN as a `Baseline`.

    Parameters
    ----------
    config
        See `SessionKnnConfig`.
    """

    def __init__(self, config: SessionKnnConfig | None = None) -> None:
        self.config = config = config or SessionKnnConfig()
        self._rule = Neighbourhood(
            config.clicks,
            config.click_decay,
            config.candidates,
            config.neighbours,
            config.session_decay_seconds,
            config.distance_decay,
            config.popularity_half_life_seconds,
        )
        self._store = new_store(config.kept_clicks, config.kept_sessions)
        self._open: OrderedDict[int, tuple[int, float]] = OrderedDict()
        self._sessions = 0
        self._items = SessionItems(
            alive=np.zeros(0, dtype=np.bool_),
            generations=np.zeros(0, dtype=np.int64),
            newest=np.zeros(0, dtype=np.int64),
            counts=np.zeros(0, dtype=np.int64),
            popularity=np.zeros(0),
            reference=np.zeros(1),
        )
        self._work = self._workspace(0)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns: `KINDS`."""
        return KINDS

    def rank(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank clicks by the sessions as they are, and count none (see `Baseline`)."""
        return self._ranks(clicks, scored, mask_history, np.zeros(0, dtype=np.int64))

    def rank_and_add(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click, then count it (see `Baseline`)."""
        if len(clicks.targets):
            self._reserve(int(clicks.targets.max()) + 1)
            if self._sessions == 0:
                self._items.reference[0] = clicks.times[0]
        return self._ranks(clicks, scored, mask_history, self._session_numbers(clicks))

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`, which are to be given to other items."""
        rows = rows[rows < len(self._items.alive)]
        self._items.alive[rows] = False
        self._items.generations[rows] += 1  # what sessions hold of them no longer counts
        self._items.newest[rows] = NONE
        self._items.counts[rows] = 0
        self._items.popularity[rows] = 0.0

    def _ranks(
        self,
        clicks: CountedClicks,
        scored: npt.NDArray[np.bool_],
        mask_history: bool,
        numbers: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.int32]:
        ranks = np.full((len(clicks.targets), len(KINDS)), MISS, dtype=np.int32)
        rank_clicks(
            self._store,
            self._items,
            self._rule,
            clicks,
            scored,
            mask_history,
            numbers,
            self._work,
            ranks,
        )
        return ranks

    def _session_numbers(self, clicks: CountedClicks) -> npt.NDArray[np.int64]:
        """Return the session of each click, -1 for those without weight."""
        numbers = np.full(len(clicks.targets), NONE, dtype=np.int64)
        columns = zip(
            clicks.users.tolist(), clicks.times.tolist(), clicks.weights.tolist(), strict=True
        )
        for i, (user, time, weight) in enumerate(columns):
            if weight <= 0.0:
                continue
            session, end = self._open.get(user, (NONE, 0.0))
            oldest = self._sessions - self.config.kept_sessions
            if session < max(oldest, 0) or time - end > self.config.gap_seconds:
                session = self._sessions
                self._sessions += 1
                self._open.pop(user, None)  # keeps the users in the order of their sessions
                self._open[user] = session, time
                if len(self._open) > self.config.kept_sessions:
                    self._open.popitem(last=False)
            else:
                self._open[user] = session, time
            numbers[i] = session
        return numbers

    def _reserve(self, rows: int) -> None:
        """Make room for the items of the rows below `rows`."""
        size = len(self._items.alive)
        if rows <= size:
            return
        more = max(rows, 2 * size) - size
        items = self._items
        self._items = SessionItems(
            alive=np.pad(items.alive, (0, more)),
            generations=np.pad(items.generations, (0, more)),
            newest=np.pad(items.newest, (0, more), constant_values=NONE),
            counts=np.pad(items.counts, (0, more)),
            popularity=np.pad(items.popularity, (0, more)),
            reference=items.reference,
        )
        self._work = self._workspace(size + more)

    def _workspace(self, rows: int) -> Workspace:
        return Workspace(
            looked=np.zeros((self.config.candidates + 1, self.config.clicks), dtype=np.int64),
            found=np.zeros(self.config.clicks * self.config.candidates, dtype=np.int64),
            scores=np.zeros((rows, len(KINDS))),
            touched=np.zeros(rows, dtype=np.int64),
            seen=np.zeros(rows, dtype=np.bool_),
            hidden=np.zeros(rows, dtype=np.bool_),
        )
