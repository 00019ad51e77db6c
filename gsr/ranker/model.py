"""The ranker's weights, and the scores that they give."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.ranker.adam import Floats
from gsr.ranker.candidates import Described
from gsr.ranker.config import RankerConfig
from gsr.ranker.features import CONTEXT, GROUPS, LENGTH, feature_layout
from gsr.ranker.linear_score import NO_NEW_ITEMS
from gsr.ranker.lookups import Lookups
from gsr.ranker.network import RankingNetwork
from gsr.ranker.scaling import Scaling, standardise_rows
from gsr.ranker.selection import keep_best
from gsr.ranker.vectors.item_vectors import ItemVectors
from gsr.ranker.vectors.recent_clicks import newest_first
from gsr.ranker.vectors.user_encoder import UserEncoder
from gsr.ranker.vectors.vector_features import VECTOR_FEATURES, LearnedFeatures, Vectors

LEARNED_FADING: Final = 0.7
"""Of the means and deviations of learned features, block by block: they grow as they learn."""

VECTOR_GROUP: Final = "vectors"
"""The group of the learned features."""

WEIGHTS: Final = 0
NEW_WEIGHTS: Final = 1
FEW_WEIGHTS: Final = 2
COLD_WEIGHTS: Final = 3
"""Rows of the linear score's weights, see `RankerModel`."""

NO_CLICKS: Final = 0
FEW_CLICKS: Final = 1
MANY_CLICKS: Final = 2
KINDS: Final = (NO_CLICKS, FEW_CLICKS, MANY_CLICKS)
"""Kinds of users, by how many clicks of theirs are known."""

MOST_FEW: Final = 5
"""Clicks that are few, at most."""

_SCORED_AT_ONCE: Final = 64


class Kept(NamedTuple):
    """The best candidates of n users, as the linear score found them.

    Parameters
    ----------
    values
        float32 [n, K, F], counted features, not standardised.
    context
        float32 [n, C].
    candidates
        int32 [n, K], items; -1 where there is none.
    targets
        int64 [n], the place of the clicked item, -1 where it is not among them.
    """

    values: Floats
    context: Floats
    candidates: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int64]

    def part(self, rows: npt.NDArray[np.intp]) -> "Kept":
        """Return some of the users."""
        return Kept(
            self.values[rows], self.context[rows], self.candidates[rows], self.targets[rows]
        )

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Places that hold a candidate, bool [n, K]."""
        found: npt.NDArray[np.bool_] = self.candidates >= 0
        return found


def kinds_of(context: Floats) -> npt.NDArray[np.int8]:
    """Return each user's kind, int8 [n], by context that is not standardised."""
    lengths = context[:, LENGTH]
    few = lengths <= np.float32(np.log1p(MOST_FEW + 0.5))
    return np.where(lengths == 0.0, NO_CLICKS, np.where(few, FEW_CLICKS, MANY_CLICKS)).astype(
        np.int8
    )


def join_kept(parts: Sequence[Kept]) -> Kept:
    """Return the users of all parts, of which there is one at least."""
    return Kept(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.context for part in parts]),
        np.concatenate([part.candidates for part in parts]),
        np.concatenate([part.targets for part in parts]),
    )


class RankerModel:
    """What is needed to score candidates; `gsr.ranker.learner` moves it.

    Parameters
    ----------
    config
        Its shape.
    seed
        Of the first weights.
    own_vectors
        Whether it has vectors of its own, where the configuration wants any; else whoever asks for
        scores brings the features that come of vectors.

    Attributes
    ----------
    layout
        Of the counted features.
    linear
        float32 [4, F], weights of the linear score in terms of standardised features: `WEIGHTS` of
        all items; `NEW_WEIGHTS`, which are added for new ones, of which votes say other things;
        `FEW_WEIGHTS`, which are added for users with few clicks, whose first ones may be of another
        kind than those that follow; and `COLD_WEIGHTS` for users without clicks, of whom nothing
        else is known than what is popular.
    scaling, learned_scaling, context_scaling
        Of counted features, learned ones and the context.
    network
        Ranks what the linear score keeps.
    new_items
        The counted feature that tells new items; `NO_NEW_ITEMS` where it is switched off.
    vectors
        Make the learned features; None where there are none, or others bring them.
    brought
        Makes the learned features where the model has no vectors of its own; None: they are 0.
    """

    def __init__(self, config: RankerConfig, seed: int = 0, *, own_vectors: bool = True) -> None:
        self.config = config
        self.layout = feature_layout(config.half_lives, config.close_half_lives)
        rng = np.random.default_rng(seed)
        used = self.layout.switched_on(config.without)
        self.learned = len(VECTOR_FEATURES) if config.vectors else 0
        self.linear: Floats = np.zeros((4, len(used)), dtype=np.float32)
        self.linear[COLD_WEIGHTS, self.layout.places.long] = 1.0  # until it knows better
        new = self.layout.places.new
        self.new_items = new if used[new] else NO_NEW_ITEMS
        self.scaling = Scaling(used)
        self.learned_scaling = Scaling(np.ones(self.learned, dtype=np.bool_), LEARNED_FADING)
        self.context_scaling = Scaling(np.ones(len(CONTEXT), dtype=np.bool_))
        width = len(used) + self.learned
        self.network = RankingNetwork(width, len(CONTEXT), config.hidden, rng)
        self.vectors: Vectors | None = None
        self.brought: LearnedFeatures | None = None
        if config.vectors and own_vectors:
            self.vectors = Vectors(
                ItemVectors(config.dimension), UserEncoder(config.dimension, rng)
            )

    @property
    def scalings(self) -> tuple[Scaling, Scaling, Scaling]:
        """Of counted features, learned ones and the context."""
        return self.scaling, self.learned_scaling, self.context_scaling

    @property
    def counted(self) -> int:
        """Number of counted features (F)."""
        return len(self.layout.features)

    @property
    def cold_weights(self) -> Floats:
        """Weights of the linear score of users without clicks, by features as they are [F]."""
        weights: Floats = self.linear[COLD_WEIGHTS] * self.scaling.inverses
        return weights

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of features that are used, in the order of their first features."""
        counted = [group for group in GROUPS if group not in self.config.without]
        return (*counted, *([VECTOR_GROUP] if self.learned else []))

    def group_columns(self, group: str) -> npt.NDArray[np.int64]:
        """Return which features belong to a group, counted ones before learned ones."""
        names = [feature.group for feature in self.layout.features]
        names += [VECTOR_GROUP] * self.learned
        return np.flatnonzero(np.array(names) == group)

    def adopt(self, other: "RankerModel", rows: npt.NDArray[np.int64]) -> None:
        """Take over another model's weights, of the same configuration, and the vectors of `rows`.

        Parameters
        ----------
        other
            The other one.
        rows
            int64 [n], item rows that both know.
        """
        self.linear[:] = other.linear
        for mine, theirs in zip(self.scalings, other.scalings, strict=True):
            mine.load(theirs.arrays())
        for weights, others in zip(self.network.weights, other.network.weights, strict=True):
            weights[:] = others
        if self.vectors is None or other.vectors is None:
            return
        pairs = zip(self.vectors.encoder.weights, other.vectors.encoder.weights, strict=True)
        for weights, others in pairs:
            weights[:] = others
        known = rows[rows < min(len(self.vectors.items), len(other.vectors.items))]
        self.vectors.items.values[known] = other.vectors.items.values[known]

    def linear_scores(
        self, values: Floats, starts: npt.NDArray[np.int64], kinds: npt.NDArray[np.int8]
    ) -> Floats:
        """Return candidates' linear scores but for a constant of each user, float32 [rows].

        Parameters
        ----------
        values
            float32 [rows, F], counted features, not standardised.
        starts, kinds
            int64 [n + 1] and int8 [n]: user i has the rows ``starts[i] : starts[i + 1]``, and its
            kind (`kinds_of`).
        """
        weights = self.linear * self.scaling.inverses
        scores: Floats = values @ weights[WEIGHTS]
        if self.new_items != NO_NEW_ITEMS:
            new = np.flatnonzero(values[:, self.new_items])
            scores[new] += values[new] @ weights[NEW_WEIGHTS]
        of_user = np.repeat(kinds, np.diff(starts))
        few = np.flatnonzero(of_user == FEW_CLICKS)
        scores[few] += values[few] @ weights[FEW_WEIGHTS]
        cold = np.flatnonzero(of_user == NO_CLICKS)
        scores[cold] = values[cold] @ weights[COLD_WEIGHTS]
        return scores

    def keep(self, described: Described, kept: int | None = None) -> tuple[Kept, Floats]:
        """Choose the best candidates of described users; those that were given are among them.

        Parameters
        ----------
        described
            Its values become logarithms, in place.
        kept
            How many of each user; None: as the configuration says.

        Returns
        -------
        kept
            Of n users.
        linear
            float32 [rows], the linear scores of all candidates.
        """
        n = int(described.counts[0])
        starts = described.starts[: n + 1]
        values = described.values[: starts[n]]
        np.log(values, out=values)
        linear = self.linear_scores(values, starts, kinds_of(described.context[:n]))
        width = kept or self.config.kept
        rows = np.empty((n, width), dtype=np.int64)
        places = np.empty(n, dtype=np.int64)
        most = int(np.diff(starts).max(initial=0))
        work = np.empty(most, dtype=np.float32)
        given = described.given[:n]
        wanted = _wanted(linear, starts, given) if given.any() else linear
        keep_best(wanted, starts, described.targets[:n], work, rows, places)
        there = np.maximum(rows, 0)
        if len(values) == 0:
            found = np.zeros((n, width, values.shape[1]), dtype=np.float32)
            candidates = np.full((n, width), -1, dtype=np.int32)
        else:
            found = values[there]
            candidates = np.where(rows >= 0, described.items[there], np.int32(-1))
        context = described.context[:n].copy()
        return Kept(found, context, candidates, places), linear

    def lookups(
        self,
        histories: npt.NDArray[np.int64],
        history_times: npt.NDArray[np.float64],
        lengths: npt.NDArray[np.int64],
        now: npt.NDArray[np.float64],
        candidates: npt.NDArray[np.int32],
        clicked: npt.NDArray[np.int64],
        clicks: int | None = None,
    ) -> Lookups:
        """Return what the learned features of n users' candidates depend on.

        Parameters
        ----------
        histories, history_times, lengths
            int64 and float64 [n, L], oldest first, of which int64 [n] count.
        now
            float64 [n].
        candidates, clicked
            int32 [n, K] and int64 [n], item rows; -1 for none.
        clicks
            How many of the newest are looked up; None: as many as the configuration says.
        """
        recent = newest_first(
            histories, history_times, lengths, now, clicks or self.config.history_length
        )
        return Lookups(recent.items, recent.ages, candidates, clicked.astype(np.int32))

    def features(self, kept: Kept, lookups: Lookups) -> Floats:
        """Return all features, not standardised, float32 [n, K, F + Q]."""
        if self.learned == 0:
            return kept.values
        source = self.brought if self.vectors is None else self.vectors
        learned = np.zeros((*lookups.candidates.shape, self.learned), dtype=np.float32)
        if source is not None:
            learned = source.features(lookups)
        return np.concatenate((kept.values, learned), axis=2)

    def standardise(self, features: Floats, context: Floats) -> None:
        """Bring contiguous features [n, K, F + Q] and context [n, C] to one scale, in place."""
        both = (self.scaling, self.learned_scaling)
        standardise_rows(
            features.reshape(-1, features.shape[-1], copy=False),
            np.concatenate([scaling.means for scaling in both]),
            np.concatenate([scaling.inverses for scaling in both]),
        )
        self.context_scaling.standardise(context)

    def scores(self, features: Floats, context: Floats, *, keep: bool = True) -> Floats:
        """Return the scores of n users' candidates, float32 [n, K].

        They are the network's, but for those of users without clicks, from whom it does not learn:
        theirs are linear.

        Parameters
        ----------
        features, context
            Contiguous float32 [n, K, F + Q] and [n, C], not standardised.
        keep
            Whether they stay as they are; they are standardised otherwise.
        """
        scores = np.empty(features.shape[:2], dtype=np.float32)
        for first in range(0, len(features), _SCORED_AT_ONCE):
            some = slice(first, first + _SCORED_AT_ONCE)
            part, around = features[some], context[some]
            if keep:
                part, around = part.copy(), around.copy()
            cold = kinds_of(around) == NO_CLICKS
            linear = part[cold][..., : self.counted] @ self.cold_weights
            self.standardise(part, around)
            scores[some] = self.network.scores(part, around)
            scores[some][cold] = linear
        return scores

    def boosts(self, values: Floats) -> Floats:
        """Return what is added to the scores of new items, float32 [n, K].

        Parameters
        ----------
        values
            float32 [n, K, F], counted features, not standardised.
        """
        boost = np.float32(np.log(self.config.new_item_boost))
        found: Floats = boost * values[..., self.layout.places.new]
        return found


def _wanted(scores: Floats, starts: npt.NDArray[np.int64], given: npt.NDArray[np.int64]) -> Floats:
    """Return scores [rows], infinite for the first `given` [n] candidates of each user."""
    within = np.arange(len(scores)) - np.repeat(starts[:-1], np.diff(starts))
    return np.where(within < np.repeat(given, np.diff(starts)), np.float32(np.inf), scores)
