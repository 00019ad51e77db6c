"""Splits of clicks into those that are learned, those that select a model and those that test it.

Every split here cuts each user's clicks once or twice, so a set of clicks is always an array of
ends: of user u, the clicks ``starts[u] : ends[u]``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.interactions import Interactions
from gsr.errors import SplitError

SHORT_HISTORY: Final = 5
"""A history of at most so many clicks is short."""

SLICES: Final = ("warm", "cold_items", "cold_users", "short_histories", "long_histories")

LEAVE_ONE_OUT: Final = "leave-one-out"
TEMPORAL: Final = "temporal"
WHOLE: Final = "whole"

LEAST_CLICKS: Final = 3
"""Leave-one-out tests users with so many clicks: one to test, one to select, one to learn from."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Clicks to predict, each from the user's clicks before it; at most one a user in a test.

    Parameters
    ----------
    users
        int64 [m], never falling.
    positions
        int64 [m], where the target stands in `Interactions.items`. The history is everything from
        the user's start up to, not with, this position.
    """

    users: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, rows: slice | npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Cases":
        return Cases(self.users[rows], self.positions[rows])

    def targets(self, interactions: Interactions) -> npt.NDArray[np.int64]:
        """Return int64 [m], the items to predict."""
        return interactions.items[self.positions]

    def history_lengths(self, interactions: Interactions) -> npt.NDArray[np.int64]:
        """Return int64 [m], how many clicks are known of each user, at least 1."""
        return self.positions - interactions.starts[self.users]

    def histories(
        self, interactions: Interactions
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the case and the item of every click of all histories, int64 [H] each."""
        lengths = self.history_lengths(interactions)
        cases = np.repeat(np.arange(len(self)), lengths)
        within = np.arange(len(cases)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return cases, interactions.items[interactions.starts[self.users][cases] + within]

    def repeats(self, interactions: Interactions) -> npt.NDArray[np.bool_]:
        """Return bool [m], whether the target is in the history as well."""
        cases, items = self.histories(interactions)
        same = items == self.targets(interactions)[cases]
        return np.bincount(cases[same], minlength=len(self)) > 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One round of learning and predicting.

    Parameters
    ----------
    learned_ends
        int64 [U]: the clicks that may be learned from, by weights and by the frozen graph.
    cases
        What is to be predicted.
    live_ends
        int64 [U]: the clicks that a live graph may hold, which adds what happened after learning.
    live_by_time
        Whether the live graph grows as time passes: then a case may see, of `live_ends`, only
        clicks with a time before the target's, and its own history.
    """

    learned_ends: npt.NDArray[np.int64]
    cases: Cases
    live_ends: npt.NDArray[np.int64]
    live_by_time: bool


@dataclass(frozen=True, slots=True)
class Split:
    """Clicks, split into those to learn, to select by and to test on.

    Parameters
    ----------
    interactions
        All clicks.
    protocol
        Its name.
    settings
        Its arguments and the moments that follow from them, as JSON values: enough to tell two
        splits apart.
    valid
        Chooses settings and the time to stop.
    test
        Measures. Where its `learned_ends` lie after those of `valid`, the chosen model learns once
        more, from more, before it is tested.
    """

    interactions: Interactions
    protocol: str
    settings: Mapping[str, str | float | bool]
    valid: Stage
    test: Stage

    @property
    def refits(self) -> bool:
        """Whether the tested model learns from more clicks than the selected one."""
        return bool((self.test.learned_ends > self.valid.learned_ends).any())


def clicks_before(interactions: Interactions, ends: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return bool [n], which clicks lie before their users' `ends`, int64 [U]."""
    limits = np.repeat(ends, interactions.lengths)
    before: npt.NDArray[np.bool_] = np.arange(len(interactions)) < limits
    return before


def leave_one_out(
    interactions: Interactions, eligible: npt.NDArray[np.bool_] | None = None
) -> Split:
    """Test on each user's last click, select on the one before it, learn from the rest.

    The protocol of SASRec and of the tables published since. It knows no clock: what other users
    did after a test click may have been learned. Users with fewer than `LEAST_CLICKS` clicks are
    only learned from. The live graph of the test also holds the validation clicks.

    Parameters
    ----------
    interactions
        All clicks.
    eligible
        bool [n], which clicks may be targets; None: all. Others stay in histories. Clicks after
        a user's test click are not used.

    Raises
    ------
    SplitError
        No user has enough clicks.
    """
    last = _last_eligible(interactions, eligible)
    starts, stops = interactions.starts[:-1], interactions.starts[1:]
    tested = _last_before(last, stops)
    selected = _last_before(last, tested)
    learned = _last_before(last, selected)
    users = np.flatnonzero(learned >= starts)
    if not len(users):
        raise SplitError(
            f"no user has {LEAST_CLICKS} clicks: leave-one-out needs one to test, one to select "
            "and one to learn from"
        )
    valid_ends, test_ends = stops.copy(), stops.copy()
    valid_ends[users], test_ends[users] = selected[users], tested[users]
    return Split(
        interactions,
        LEAVE_ONE_OUT,
        {"least_clicks": LEAST_CLICKS},
        valid=Stage(valid_ends, Cases(users, selected[users]), valid_ends, live_by_time=False),
        test=Stage(valid_ends, Cases(users, tested[users]), test_ends, live_by_time=False),
    )


def temporal(
    interactions: Interactions,
    quantile: float = 0.9,
    *,
    refit: bool = True,
    eligible: npt.NDArray[np.bool_] | None = None,
) -> Split:
    """Learn up to a moment, test on the last click of each user who clicks after it.

    The global temporal split with last target and temporal validation of Gusak et al., "Time to
    Split" (RecSys 2025, arXiv 2507.16289). The moment is the `quantile` of all click times,
    interpolated; clicks at the moment itself are learned from. Validation cuts what lies up to
    the moment in the same manner, after leaving out users with a single click there, and tests on
    the last click before the moment. Users without an earlier click are not tested. The live
    graph holds whatever happened before the time of the target.

    Parameters
    ----------
    interactions
        All clicks.
    quantile
        Of both cuts, between 0 and 1.
    refit
        Whether the tested model learns everything up to the moment, after the time to stop was
        chosen on validation; else the model that validation selected is tested, whose newest
        click is older.
    eligible
        bool [n], which clicks may be targets; None: all. Others stay in histories.

    Raises
    ------
    ValueError
        The quantile is not between 0 and 1.
    SplitError
        One of the parts would be empty.
    """
    if not 0.0 < quantile < 1.0:
        raise ValueError(f"quantile is {quantile}: give a number between 0 and 1")
    if not len(interactions):
        raise SplitError("there are no clicks to split")
    last = _last_eligible(interactions, eligible)
    starts, stops = interactions.starts[:-1], interactions.starts[1:]

    cut = float(np.quantile(interactions.times, quantile))
    ends = ends_at(interactions, cut)
    up_to = f"up to the {quantile} quantile of all times"
    valid_cut, valid = _validation(interactions, ends, quantile, last, up_to)
    test = _last_clicks(last, starts, ends, stops)
    _check_cases(test, "test")
    return Split(
        interactions,
        TEMPORAL,
        {
            "quantile": quantile,
            "target": "last",
            "refit": refit,
            "valid_cut": valid_cut,
            "test_cut": cut,
        },
        valid=valid,
        test=Stage(ends if refit else valid.learned_ends, test, stops.copy(), live_by_time=True),
    )


def whole(
    interactions: Interactions,
    quantile: float = 0.9,
    eligible: npt.NDArray[np.bool_] | None = None,
) -> Split:
    """Learn everything, after the time to stop was chosen on the newest part of it.

    What a service does that learns anew now and then: there is nothing to test on yet. The moment
    after which clicks select is that of `temporal`, but they all do that have a history, not each
    user's last one alone: on a stream every click is asked for. Nobody is tested, so the test stage
    says only what the model learns in the end.

    Parameters
    ----------
    interactions
        All clicks.
    quantile
        Of the times of users with two clicks or more: what is later selects. Between 0 and 1.
    eligible
        bool [n], which clicks may be targets; None: all.

    Raises
    ------
    ValueError
        The quantile is not between 0 and 1.
    SplitError
        There is nothing to learn or nothing to select by.
    """
    if not 0.0 < quantile < 1.0:
        raise ValueError(f"quantile is {quantile}: give a number between 0 and 1")
    last, stops = _last_eligible(interactions, eligible), interactions.starts[1:].copy()
    valid_cut, last_clicks = _validation(interactions, stops, quantile, last, "so far")
    valid = replace(last_clicks, cases=_later_clicks(interactions, last_clicks, eligible))
    nobody = Cases(np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Split(
        interactions,
        WHOLE,
        {"quantile": quantile, "valid_cut": valid_cut},
        valid=valid,
        test=Stage(stops, nobody, stops, live_by_time=True),
    )


def case_slices(interactions: Interactions, stage: Stage) -> dict[str, npt.NDArray[np.bool_]]:
    """Return, for each of `SLICES`, which of a stage's m cases belong to it: bool [m].

    A cold item was never learned from, nor was any click of a cold user, whose history is all
    newer; the rest is warm. A short history has at most `SHORT_HISTORY` clicks.
    """
    cases = stage.cases
    known = np.zeros(interactions.item_count, dtype=np.bool_)
    known[interactions.items[clicks_before(interactions, stage.learned_ends)]] = True
    cold_items = ~known[cases.targets(interactions)]
    cold_users = (stage.learned_ends == interactions.starts[:-1])[cases.users]
    short = cases.history_lengths(interactions) <= SHORT_HISTORY
    return {
        "warm": ~(cold_items | cold_users),
        "cold_items": cold_items,
        "cold_users": cold_users,
        "short_histories": short,
        "long_histories": ~short,
    }


def _last_eligible(
    interactions: Interactions, eligible: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.int64]:
    """Return int64 [n], the newest eligible click at or before each, of whichever user; or -1."""
    places = np.arange(len(interactions), dtype=np.int64)
    if eligible is None:
        return places
    newest: npt.NDArray[np.int64] = np.maximum.accumulate(np.where(eligible, places, -1))
    return newest


def _last_before(last: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the newest eligible click before each end; of an earlier user, or -1, if none is."""
    return np.where(ends > 0, last[np.maximum(ends, 1) - 1], -1) if len(last) else ends - 1


def ends_at(interactions: Interactions, moment: float) -> npt.NDArray[np.int64]:
    """Return int64 [U], each user's first click after the moment."""
    early = interactions.users[interactions.times <= moment]
    counts = np.bincount(early, minlength=interactions.user_count)
    return interactions.starts[:-1] + counts


def _validation(
    interactions: Interactions,
    ends: npt.NDArray[np.int64],
    quantile: float,
    last: npt.NDArray[np.int64],
    up_to: str,
) -> tuple[float, Stage]:
    """Return the moment after which clicks before `ends` select, and the stage that does.

    Users with a single click there are left out where the moment is looked for.
    """
    starts = interactions.starts[:-1]
    sequences = np.where(ends - starts > 1, ends, starts)
    times = interactions.times[clicks_before(interactions, sequences)]
    if not len(times):
        raise SplitError(f"no user has two clicks {up_to}")
    cut = float(np.quantile(times, quantile))
    learned_ends = np.minimum(ends_at(interactions, cut), ends)
    cases = _last_clicks(last, starts, learned_ends, sequences)
    _check_cases(cases, "validate")
    return cut, Stage(learned_ends, cases, ends, live_by_time=True)


def _later_clicks(
    interactions: Interactions, stage: Stage, eligible: npt.NDArray[np.bool_] | None
) -> Cases:
    """Return every eligible click that a stage may not learn and that has a history."""
    asked = ~clicks_before(interactions, stage.learned_ends)
    asked[interactions.starts[:-1][interactions.lengths > 0]] = False
    if eligible is not None:
        asked &= eligible
    positions = np.flatnonzero(asked)
    return Cases(interactions.users[positions], positions)


def _check_cases(cases: Cases, what: str) -> None:
    if not len(cases):
        raise SplitError(
            f"nobody with a history clicks late enough to {what} on: lower the quantile"
        )


def _last_clicks(
    last: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    lows: npt.NDArray[np.int64],
    highs: npt.NDArray[np.int64],
) -> Cases:
    """Return each user's last eligible click from `lows` to `highs` that has a history."""
    positions = _last_before(last, highs)
    users = np.flatnonzero((positions >= lows) & (positions > starts))
    return Cases(users, positions[users])
