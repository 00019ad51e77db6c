"""Candidates, ranks and lists of users who are asked about: nothing is counted meanwhile."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.quality.ranking_metrics import MISS
from gsr.ranker.adam import Floats
from gsr.ranker.barred import admit_rows, bar_rows
from gsr.ranker.candidates import (
    MOST_CANDIDATES,
    NO_FINGERPRINTS,
    Described,
    Selection,
    Workspace,
    describe_user,
    new_workspace,
    room_for_described,
)
from gsr.ranker.explaining import group_parts
from gsr.ranker.lookups import Lookups
from gsr.ranker.model import Kept, RankerModel, join_kept
from gsr.ranker.popular_items import (
    PopularItems,
    by_popularity,
    list_again,
    no_popular_items,
)

_AT_ONCE: Final = 32
"""Users whose candidates are described at once."""


class Asked(NamedTuple):
    """Users who are asked about; n of them.

    Parameters
    ----------
    items, times, lengths
        int64 [n, H], float64 [n, H] and int64 [n]: what votes, oldest first.
    now
        float64 [n], when the next item is asked for.
    clicks
        int64 [n], in each user's buffer.
    masked, mask_starts
        int64, and int64 [n + 1]: user i must not get the item rows
        ``masked[mask_starts[i] : mask_starts[i + 1]]``; -1 is none.
    targets
        int64 [n], rows of clicked items, -1 where there is none.
    """

    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.int64]
    now: npt.NDArray[np.float64]
    clicks: npt.NDArray[np.int64]
    masked: npt.NDArray[np.int64]
    mask_starts: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]


def asked(
    readable: Histories,
    clicks: npt.NDArray[np.int64],
    masked: list[npt.NDArray[np.int64]],
    targets: npt.NDArray[np.int64] | None = None,
) -> Asked:
    """Return users to ask about.

    Parameters
    ----------
    readable
        What votes of each (`Histories.recent`).
    clicks
        int64 [n], in each one's buffer.
    masked
        Of each user, int64 item rows that must not be listed.
    targets
        int64 [n]; None: nothing was clicked.
    """
    starts = np.zeros(len(readable) + 1, dtype=np.int64)
    np.cumsum([len(rows) for rows in masked], out=starts[1:])
    return Asked(
        readable.items,
        readable.times,
        readable.lengths,
        readable.now,
        clicks,
        np.concatenate([np.zeros(0, dtype=np.int64), *masked]),
        starts,
        np.full(len(readable), -1, dtype=np.int64) if targets is None else targets,
    )


@lean_kernel
def describe_users(
    graph: ItemGraph,
    selection: Selection,
    work: Workspace,
    users: Asked,
    repeats: bool,
    described: Described,
    start: int,
) -> int:
    """Describe users from `start` on; return the first for whom there is no room."""
    described.counts[0] = 0
    for i in range(start, len(users.lengths)):
        n = described.counts[0]
        room = len(described.values) - described.starts[n]
        if n == len(described.clicks) or room < len(work.pool):
            return i
        masked = users.masked[users.mask_starts[i] : users.mask_starts[i + 1]]
        bar_rows(work.barred, masked)
        described.clicks[n] = i
        describe_user(
            graph,
            selection,
            work,
            users.targets[i],
            users.now[i],
            users.items[i],
            users.times[i],
            users.lengths[i],
            users.clicks[i],
            repeats,
            described,
        )
        admit_rows(work.barred, masked)
    return len(users.lengths)


class UserLists(NamedTuple):
    """The lists of n users, best first.

    Parameters
    ----------
    rows
        int64 [n, K], item rows; -1 behind the last.
    scores
        float32 [n, K].
    """

    rows: npt.NDArray[np.int64]
    scores: Floats


class Asker:
    """Answers from a model and counters that do not move.

    Parameters
    ----------
    model
        Scores.
    graph
        The counters; they must not change while it is used.
    row_slots
        Neighbours of a full row.
    repeats
        Whether items of a history may be listed again.
    length
        Of the longest list that may be asked for.
    popular
        The most popular items, kept up to date by others; None: they are looked for.
    blocked
        bool [N], items that nobody may get; None: there are none.
    """

    def __init__(
        self,
        model: RankerModel,
        graph: ItemGraph,
        *,
        row_slots: int,
        repeats: bool,
        length: int,
        popular: PopularItems | None = None,
        blocked: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self._model = model
        self._graph = graph
        self._repeats = repeats
        self.length = length
        self._blocked = np.zeros(graph.items, dtype=np.bool_) if blocked is None else blocked
        self._any_blocked = bool(self._blocked.any())
        config, layout = model.config, model.layout
        listable = graph if blocked is None else graph._replace(alive=graph.alive & ~blocked)
        if popular is None:
            popular = no_popular_items(config.scales, config.listed)
            list_again(popular, listable, graph.items)
        self._selection = Selection(
            layout.places,
            layout.offsets,
            layout.channels,
            layout.close_scales,
            popular,
            config.listed,
            NO_FINGERPRINTS,
            by_popularity(listable, np.flatnonzero(listable.alive), layout.places.day),
            length,
        )
        candidates = MOST_CANDIDATES + length
        self._work = new_workspace(
            graph.items,
            layout,
            len(graph.half_lives) + len(graph.close_half_lives),
            row_slots=row_slots,
            history=config.history_length,
            fingerprints=0,
            candidates=candidates,
        )
        # Between two users nothing else is barred, and no user may admit these again.
        self._work.barred.rows[:] = self._blocked
        self._described = room_for_described(
            _AT_ONCE, _AT_ONCE * candidates, layout.places.features
        )

    def candidates(self, users: Asked, length: int) -> tuple[Kept, Lookups]:
        """Return the best candidates of users, and what their learned features depend on.

        Parameters
        ----------
        users
            One at least.
        length
            As many as this there are, where there are enough items; at most `self.length`.
        """
        found = []
        done = 0
        width = max(self._model.config.kept, length)
        selection = self._selection._replace(least=length)
        readable = self._without_blocked(users)
        while done < len(users.lengths):
            done = describe_users(
                self._graph,
                selection,
                self._work,
                readable,
                self._repeats,
                self._described,
                done,
            )
            found.append(self._model.keep(self._described, width)[0])
        kept = join_kept(found)
        lookups = self._model.lookups(
            users.items, users.times, users.lengths, users.now, kept.candidates, users.targets
        )
        return kept, lookups

    def ranks(self, users: Asked) -> npt.NDArray[np.int32]:
        """Return the rank of each user's target, int32 [n], from 1; `MISS` for no candidate."""
        if len(users.lengths) == 0:
            return np.zeros(0, dtype=np.int32)
        kept, lookups = self.candidates(users, 1)
        scores = final_scores(self._model, kept, self._model.features(kept, lookups))
        return ranks_by(scores, kept)

    def lists(self, users: Asked, length: int) -> UserLists:
        """Return the lists of users, of `length` items at most, and at most `self.length`."""
        if len(users.lengths) == 0:
            return _no_lists(length)
        kept, lookups = self.candidates(users, length)
        scores = final_scores(self._model, kept, self._model.features(kept, lookups))
        return _lists_of(kept, scores, _best(kept, scores, length))

    def explain(self, users: Asked, length: int) -> tuple[UserLists, dict[str, Floats]]:
        """Return the lists of users, and what each group of features does to the scores.

        Returns
        -------
        lists
            As `lists` returns them.
        parts
            By group, float32 [n, K], see `gsr.ranker.explaining.group_parts`; 0 behind the last
            item.
        """
        if len(users.lengths) == 0:
            return _no_lists(length), {}
        kept, lookups = self.candidates(users, length)
        features = self._model.features(kept, lookups)
        scores = final_scores(self._model, kept, features)
        order = _best(kept, scores, length)
        lists = _lists_of(kept, scores, order)
        listed = np.take_along_axis(features, order[:, :, None], axis=1)
        parts = group_parts(self._model, listed, kept.context)
        there = lists.rows >= 0
        return lists, {group: np.where(there, part, 0.0) for group, part in parts.items()}

    def _without_blocked(self, users: Asked) -> Asked:
        """Return the users with no blocked item among what is masked: it stays barred."""
        if not self._any_blocked:
            return users
        masked = users.masked
        gone = (masked >= 0) & self._blocked[np.maximum(masked, 0)]
        return users._replace(masked=np.where(gone, -1, masked))


def _no_lists(length: int) -> UserLists:
    nothing = np.zeros((0, length), dtype=np.int64)
    return UserLists(nothing, nothing.astype(np.float32))


def _best(kept: Kept, scores: Floats, length: int) -> npt.NDArray[np.intp]:
    """Return the places of each user's best candidates, [n, length], the best first."""
    order = np.argsort(np.where(kept.present, -scores, np.inf), axis=1, kind="stable")
    return order[:, :length]


def _lists_of(kept: Kept, scores: Floats, order: npt.NDArray[np.intp]) -> UserLists:
    best = np.take_along_axis(scores, order, axis=1)
    rows = np.take_along_axis(kept.candidates, order, axis=1).astype(np.int64)
    return UserLists(rows, np.where(rows >= 0, best, np.float32(0.0)))


def final_scores(model: RankerModel, kept: Kept, features: Floats) -> Floats:
    """Return the scores by which candidates are ranked, float32 [n, K], boosts included."""
    scores = model.scores(features, kept.context)
    scores += model.boosts(kept.values)
    return scores


def ranks_by(scores: Floats, kept: Kept) -> npt.NDArray[np.int32]:
    """Return the rank of each target among its candidates, int32 [n], ties against it."""
    own = scores[np.arange(len(scores)), np.maximum(kept.targets, 0)]
    ranks = ((scores >= own[:, None]) & kept.present).sum(axis=1)
    return np.where(kept.targets >= 0, ranks, MISS).astype(np.int32)
