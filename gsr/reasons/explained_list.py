"""The reasons of one list: what each click does, and what else speaks for its items."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.ranker.adam import Floats
from gsr.ranker.asked_users import Asked
from gsr.ranker.asking import Explained, UserLists
from gsr.ranker.edge_counts import edge_counts, popularity_counts
from gsr.ranker.explaining import GRAPH, SEQUENCE
from gsr.ranker.features import CLICK_OFFSET
from gsr.ranker.leaving_out import NO_CLICK, ClickEffects, click_effects
from gsr.reasons.reason import ClickReason, Counts, Reason, ReasonKind
from gsr.votes.constants import NEW_ITEM_CLICKS

CANDIDATES: Final = 100
"""An item's share is that among so many of the best candidates, the list's own among them."""

LEAST_LOST: Final = 0.02
"""A click is the reason only if the item would lose so much of its share without it."""

_DIGITS: Final = 6

_KINDS: Final[Mapping[str, ReasonKind]] = {
    "popularity": "popular",
    "last click on the item": "fresh",
    "new items": "new",
    "own clicks": "again",
}
"""What parts of a score say, by how their names begin; the other parts tell of the clicks."""


class Answers(Protocol):
    """What makes lists, and can say why: a model, or counters alone, that do not move."""

    def lists(self, users: Asked, length: int) -> UserLists:
        """Return the best `length` items of each user."""
        ...

    def scores(self, users: Asked, items: npt.NDArray[np.int64]) -> Floats:
        """Return each user's scores of exactly these items, int64 [K], each of them once.

        float32 [n, K]; -inf for an item that the user may not get.
        """
        ...

    def explain(self, users: Asked, length: int) -> Explained:
        """Return the same lists, and what their scores are due to."""
        ...


def explained_list(
    answers: Answers,
    user: Asked,
    buffer: Histories,
    length: int,
    *,
    graph: ItemGraph,
    item_id: Callable[[int], str],
    history_length: int,
    event_weights: tuple[float, ...],
) -> tuple[Explained, list[Reason]]:
    """Return a user's list, and of each of its items why it is there.

    Each click that is read is left out once, and the items are scored again.

    Parameters
    ----------
    answers
        Make lists of `length`, and of `CANDIDATES`.
    user, buffer
        One user: what may be asked, and the whole buffer that this comes from.
    length
        Items of the list.
    graph
        The counters that the list is made from.
    item_id
        The item of a row.
    history_length, event_weights
        What of a buffer is read.
    """
    explained = answers.explain(user, length)
    listed = explained.lists.rows[0]
    listed = listed[listed >= 0]
    if len(listed) == 0:
        return explained, []
    others = answers.lists(user, CANDIDATES).rows[0]
    others = others[(others >= 0) & ~np.isin(others, listed)]
    candidates = np.concatenate((listed, others))[: max(CANDIDATES, len(listed))]
    effects = click_effects(
        answers.scores,
        buffer,
        user.masked,
        candidates,
        len(listed),
        history_length=history_length,
        event_weights=event_weights,
    )
    return explained, _ListReasons(graph, buffer, explained, candidates, effects, item_id).all()


class _ListReasons:
    """Finds the reasons of the items of one user's list.

    Parameters
    ----------
    graph
        The counters that the list was made from.
    buffer
        The user's whole buffer: one row.
    explained
        The list, of the one user.
    candidates
        int64 [M], item rows among which shares are, those of the list first.
    effects
        What the clicks do to the items of the list.
    item_id
        The item of a row.
    """

    def __init__(
        self,
        graph: ItemGraph,
        buffer: Histories,
        explained: Explained,
        candidates: npt.NDArray[np.int64],
        effects: ClickEffects,
        item_id: Callable[[int], str],
    ) -> None:
        self._effects = effects
        self._item_id = item_id
        self._length = len(effects.lost_without_any)
        listed = candidates[: self._length]
        now = float(buffer.now[0])
        self._half_lives, self._close = graph.half_lives.tolist(), graph.close_half_lives.tolist()
        self._clicks = effects.strongest(LEAST_LOST)
        named = np.flatnonzero(self._clicks != NO_CLICK)
        sources = effects.items[self._clicks[named]]
        self._edges = dict(
            zip(named.tolist(), edge_counts(graph, sources, listed[named], now), strict=True)
        )
        counts = popularity_counts(graph, candidates, now)
        levels = np.log(counts + CLICK_OFFSET)
        standing = (levels - levels.mean(axis=0))[: self._length]
        self._popularity = counts[: self._length]
        self._popular_on = graph.half_lives[standing.argmax(axis=1)]
        pauses = np.maximum(now - graph.last_clicks[candidates], 0.0)
        self._pauses = pauses[: self._length]
        self._sides = {name: side[0, : self._length] for name, side in explained.sides.items()}
        self._strength = _strengths(explained.parts, self._length)
        self._strength["clicks"] = sum(self._sides.values(), np.zeros(self._length, np.float32))
        own = buffer.items[0, : int(buffer.lengths[0])]
        long = int(np.argmax(graph.half_lives))
        self._true: Mapping[ReasonKind, npt.NDArray[np.bool_]] = {
            "clicks": effects.lost_without_any >= LEAST_LOST,
            "popular": standing.max(axis=1, initial=0.0) > 0.0,
            "fresh": self._pauses <= np.median(pauses),
            "new": self._popularity[:, long] < NEW_ITEM_CLICKS,
            "again": np.isin(listed, own),
        }

    def all(self) -> list[Reason]:
        """Return the reason of each item, best first."""
        return [self._reason(at) for at in range(self._length)]

    def _reason(self, at: int) -> Reason:
        click = self._click(at)
        return Reason(
            kind=self._kind(at) if click is None else "click",
            click=click,
            clicks=_counts(self._half_lives, self._popularity[at]),
            popular_on=float(self._popular_on[at]),
            last_click_seconds=float(self._pauses[at]),
            sequence_share=self._sequence_share(at),
        )

    def _click(self, at: int) -> ClickReason | None:
        place = int(self._clicks[at])
        if place == NO_CLICK:
            return None
        edge = self._edges[at]
        return ClickReason(
            item_id=self._item_id(int(self._effects.items[place])),
            clicked_at=float(self._effects.times[place]),
            share_lost=round(float(self._effects.lost[place, at]), _DIGITS),
            followed=_counts(self._half_lives, edge.followed),
            together=_counts(self._close, edge.together),
        )

    def _kind(self, at: int) -> ReasonKind:
        """Return what carries an item most, of what is true of it."""
        strengths = {kind: float(values[at]) for kind, values in self._strength.items()}
        for kind in sorted(strengths, key=lambda one: -strengths[one]):
            if strengths[kind] > 0.0 and self._true[kind][at]:
                return kind
        return "popular" if self._true["popular"][at] else "rest"

    def _sequence_share(self, at: int) -> float | None:
        sequence, graph = (max(float(self._sides[side][at]), 0.0) for side in (SEQUENCE, GRAPH))
        if len(self._effects.items) == 0 or sequence + graph == 0.0:
            return None
        return round(sequence / (sequence + graph), _DIGITS)


def _strengths(parts: Mapping[str, Floats], length: int) -> dict[ReasonKind, Floats]:
    """Return the parts of one user's list by kind, those of all time scales added up."""
    found: dict[ReasonKind, Floats] = {}
    for name, values in parts.items():
        for group, kind in _KINDS.items():
            if name.startswith(group):
                found[kind] = found.get(kind, np.float32(0.0)) + values[0, :length]
    return found


def _counts(half_lives: Sequence[float], counts: npt.NDArray[np.float64]) -> Counts:
    return {
        half_life: round(count, _DIGITS)
        for half_life, count in zip(half_lives, counts.tolist(), strict=True)
    }
