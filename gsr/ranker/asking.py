"""Candidates, ranks and lists of users who are asked about: nothing is counted meanwhile."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.quality.ranking_metrics import MISS
from gsr.ranker.adam import Floats
from gsr.ranker.asked_users import Asked
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
from gsr.ranker.explaining import group_parts, side_parts
from gsr.ranker.linear_steps import LinearSteps
from gsr.ranker.lookups import Lookups
from gsr.ranker.model import Kept, RankerModel, kinds_of
from gsr.ranker.popular_items import (
    PopularItems,
    list_again,
    no_popular_items,
    popular_first,
)
from gsr.ranker.selection import list_best

_ORDERED_FILL: Final = 8192
"""So many of the most popular items fill up short lists in their order, before any others."""
_AT_ONCE: Final = 32
"""Users whose candidates are described at once."""


@lean_kernel
def describe_users(
    graph: ItemGraph,
    selection: Selection,
    work: Workspace,
    users: Asked,
    order: npt.NDArray[np.int64],
    repeats: bool,
    described: Described,
    start: int,
) -> int:
    """Describe users in `order`, from place `start` on; return the first one without room."""
    described.counts[0] = 0
    for place in range(start, len(order)):
        n = described.counts[0]
        room = len(described.values) - described.starts[n]
        if n == len(described.clicks) or room < len(work.pool):
            return place
        i = order[place]
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
            users.given[i],
            described,
        )
        admit_rows(work.barred, masked)
    return len(order)


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


class Explained(NamedTuple):
    """The lists of n users, and what their scores are due to; 0 behind the last item.

    Parameters
    ----------
    lists
        The lists.
    parts
        By what is told apart, float32 [n, K]: of a model groups of features, see
        `gsr.ranker.explaining.group_parts`.
    sides
        The same of `SEQUENCE` and `GRAPH`, see `gsr.ranker.explaining.side_parts`.
    """

    lists: UserLists
    parts: dict[str, Floats]
    sides: dict[str, Floats]


class Found(NamedTuple):
    """Users with the best of their candidates; m of those who were asked about.

    Parameters
    ----------
    users
        int64 [m], who they are.
    kept, lookups
        The candidates, and what their learned features depend on.
    """

    users: npt.NDArray[np.int64]
    kept: Kept
    lookups: Lookups


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
            popular_first(
                listable, np.flatnonzero(listable.alive), layout.places.middle, _ORDERED_FILL
            ),
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

    def find(
        self,
        users: Asked,
        length: int,
        *,
        width: int | None = None,
        linear: LinearSteps | None = None,
    ) -> Iterator[Found]:
        """Find the candidates of users, of a few at a time, and of each user once.

        Those whose histories are of like length come together: the others' would be padded.

        Parameters
        ----------
        users
            Who is asked about.
        length
            As many candidates as this there are, where there are enough items; at most
            `self.length`.
        width
            How many of each user's candidates are kept; None: as many as the model says. In any
            case `length` of them, and those that are given.
        linear
            Is told of all candidates; None: nobody is.
        """
        selection = self._selection._replace(least=length)
        width = max(width or self._model.config.kept, length, users.given.shape[1])
        yield from self._found(users, selection, self._work, self._described, width, linear)

    def scores(self, users: Asked, items: npt.NDArray[np.int64]) -> Floats:
        """Return each user's scores of exactly these items, whether or not they would be found.

        Parameters
        ----------
        users
            Who is asked about.
        items
            int64 [K], item rows, each of them once.

        Returns
        -------
        float32 [n, K], as in lists; -inf for an item that the user may not get.
        """
        scores = np.full((len(users.lengths), len(items)), -np.inf, dtype=np.float32)
        if len(items) == 0:
            return scores
        # Nothing is looked for: the items themselves fill a pool that has room for no others.
        config, places = self._model.config, self._selection.places
        selection = self._selection._replace(
            popular=no_popular_items(config.scales, 0),
            channels=np.zeros(0, dtype=np.int64),
            fill=items,
            least=len(items),
        )
        work = self._work._replace(pool=np.zeros(len(items), dtype=np.int64))
        described = room_for_described(_AT_ONCE, _AT_ONCE * len(items), places.features)
        order = np.argsort(items)
        for some, kept, lookups in self._found(users, selection, work, described, len(items)):
            found = final_scores(self._model, kept, self._model.features(kept, lookups), keep=False)
            owners, there = np.nonzero(kept.present)
            rows = kept.candidates[owners, there]
            columns = order[np.searchsorted(items, rows, sorter=order)]
            scores[some[owners], columns] = found[owners, there]
        return scores

    def _found(
        self,
        users: Asked,
        selection: Selection,
        work: Workspace,
        described: Described,
        width: int,
        linear: LinearSteps | None = None,
    ) -> Iterator[Found]:
        """Describe users' candidates and keep the best `width`, of a few users at a time."""
        order = np.argsort(users.lengths, kind="stable")
        done = 0
        readable = self._without_blocked(users)
        while done < len(order):
            first = done
            done = describe_users(
                self._graph, selection, work, readable, order, self._repeats, described, first
            )
            some = order[first:done]
            kept, scores = self._model.keep(described, width)
            if linear is not None:
                linear.note_described(described, scores, kinds_of(kept.context))
            longest = max(1, int(users.lengths[some[-1]]))
            lookups = self._model.lookups(
                users.items[some],
                users.times[some],
                users.lengths[some],
                users.now[some],
                kept.candidates,
                users.targets[some],
                longest,
            )
            yield Found(some, kept, lookups)

    def ranks(self, users: Asked) -> npt.NDArray[np.int32]:
        """Return the rank of each user's target, int32 [n], from 1; `MISS` for no candidate."""
        ranks = np.empty(len(users.lengths), dtype=np.int32)
        for some, kept, lookups in self.find(users, 1):
            scores = final_scores(self._model, kept, self._model.features(kept, lookups))
            ranks[some] = ranks_by(scores, kept)
        return ranks

    def lists(self, users: Asked, length: int) -> UserLists:
        """Return the lists of users, of `length` items at most, and at most `self.length`."""
        lists = _room_for_lists(len(users.lengths), length)
        for some, kept, lookups in self.find(users, length):
            features = self._model.features(kept, lookups)
            scores = final_scores(self._model, kept, features, keep=False)
            _fill_lists(lists, some, scores, kept)
        return lists

    def explain(self, users: Asked, length: int) -> Explained:
        """Return the lists of users, and what each group of features does to the scores."""
        explained = Explained(_room_for_lists(len(users.lengths), length), {}, {})
        lists = explained.lists
        for some, kept, lookups in self.find(users, length):
            features = self._model.features(kept, lookups)
            scores = final_scores(self._model, kept, features)
            places = _fill_lists(lists, some, scores, kept)
            listed = np.take_along_axis(features, places[:, :, None], axis=1)
            there = lists.rows[some] >= 0
            for rooms, found in (
                (explained.parts, group_parts(self._model, listed, kept.context)),
                (explained.sides, side_parts(self._model, listed, kept.context)),
            ):
                for name, part in found.items():
                    room = rooms.setdefault(name, np.zeros(lists.scores.shape, dtype=np.float32))
                    room[some] = np.where(there, part, 0.0)
        return explained

    def _without_blocked(self, users: Asked) -> Asked:
        """Return the users with no blocked item among what is masked: it stays barred."""
        if not self._any_blocked:
            return users
        masked = users.masked
        gone = (masked >= 0) & self._blocked[np.maximum(masked, 0)]
        return users._replace(masked=np.where(gone, -1, masked))


def _room_for_lists(users: int, length: int) -> UserLists:
    shape = users, length
    return UserLists(np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.float32))


def _fill_lists(
    lists: UserLists, users: npt.NDArray[np.int64], scores: Floats, kept: Kept
) -> npt.NDArray[np.int64]:
    """Fill the lists of `users`; return the places of their items among the candidates."""
    places = np.empty((len(users), lists.rows.shape[1]), dtype=np.int64)
    rows, best = np.empty_like(places), np.empty(places.shape, dtype=np.float32)
    list_best(scores, kept.candidates, places, rows, best)
    lists.rows[users], lists.scores[users] = rows, best
    return places


def final_scores(model: RankerModel, kept: Kept, features: Floats, *, keep: bool = True) -> Floats:
    """Return the scores by which candidates are ranked, float32 [n, K], boosts included.

    Features and context stay as they are where `keep`, see `RankerModel.scores`.
    """
    boosts = model.boosts(kept.values)
    boosts += model.scores(features, kept.context, keep=keep)
    return boosts


def ranks_by(scores: Floats, kept: Kept) -> npt.NDArray[np.int32]:
    """Return the rank of each target among its candidates, int32 [n], ties against it."""
    own = scores[np.arange(len(scores)), np.maximum(kept.targets, 0)]
    ranks = ((scores >= own[:, None]) & kept.present).sum(axis=1)
    return np.where(kept.targets >= 0, ranks, MISS).astype(np.int32)
