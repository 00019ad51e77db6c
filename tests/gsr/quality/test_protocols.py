"""Splits: by hand, by property, and on real clicks against the published counts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsr.counters.interactions import Interactions, gather_interactions
from gsr.errors import SplitError
from gsr.quality.protocols import (
    SLICES,
    Split,
    Stage,
    case_slices,
    clicks_before,
    leave_one_out,
    temporal,
    whole,
)

Rows = list[tuple[int, int, float]]


def gathered(rows: Rows) -> Interactions:
    """Gather (user, item, time)."""
    users, items, times = (list(column) for column in zip(*rows, strict=True))
    return gather_interactions(
        np.array(users, dtype=np.int64),
        np.array(items, dtype=np.int64),
        np.array(times, dtype=np.float64),
        np.zeros(len(rows), dtype=np.uint8),
        user_count=max(users) + 1,
        item_count=max(items) + 1,
    )


def learned(interactions: Interactions, stage: Stage) -> list[int]:
    items: list[int] = interactions.items[clicks_before(interactions, stage.learned_ends)].tolist()
    return items


def histories(interactions: Interactions, stage: Stage) -> list[tuple[list[int], int]]:
    """Return each case's history and target."""
    starts, items = interactions.starts, interactions.items.tolist()
    return [
        (items[starts[user] : position], items[position])
        for user, position in zip(
            stage.cases.users.tolist(), stage.cases.positions.tolist(), strict=True
        )
    ]


def test_leave_one_out_takes_the_last_two_clicks_of_users_with_three() -> None:
    """User 1 has two clicks: both are learned, none is predicted."""
    rows = [(0, 10, 1.0), (0, 11, 2.0), (0, 12, 3.0), (0, 13, 3.0), (1, 14, 1.0), (1, 15, 2.0)]
    interactions = gathered(rows)
    split = leave_one_out(interactions)
    assert learned(interactions, split.valid) == [10, 11, 14, 15]
    assert learned(interactions, split.test) == [10, 11, 14, 15]
    assert histories(interactions, split.valid) == [([10, 11], 12)]
    assert histories(interactions, split.test) == [([10, 11, 12], 13)]
    assert not split.refits
    live = interactions.items[clicks_before(interactions, split.test.live_ends)]
    assert live.tolist() == [10, 11, 12, 14, 15]
    assert split.valid.live_ends.tolist() == split.valid.learned_ends.tolist()
    assert not split.test.live_by_time


def test_a_target_must_be_eligible_and_what_comes_after_it_is_not_used() -> None:
    """The clicks on 12 and 15 only hide: 14 is tested from what lies before it."""
    rows = [(0, item, float(item)) for item in (10, 11, 12, 13, 14, 15)]
    interactions = gathered(rows)
    eligible = ~np.isin(interactions.items, (12, 15))
    split = leave_one_out(interactions, eligible)
    assert histories(interactions, split.test) == [([10, 11, 12, 13], 14)]
    assert histories(interactions, split.valid) == [([10, 11, 12], 13)]
    assert learned(interactions, split.test) == [10, 11, 12]
    with pytest.raises(SplitError, match="no user has 3 clicks"):
        leave_one_out(interactions, np.isin(interactions.items, (10, 11)))


def temporal_rows() -> Rows:
    """Eleven clicks at times 0 to 10 by four users; half of them is cut at 5."""
    users = (0, 0, 1, 1, 0, 2, 0, 2, 1, 1, 3)
    return [(user, 20 + n, float(n)) for n, user in enumerate(users)]


def test_the_temporal_split_cuts_at_a_moment_and_tests_last_clicks() -> None:
    """User 2's one click up to the cut counts for learning, not for where validation begins."""
    interactions = gathered(temporal_rows())
    split = temporal(interactions, 0.5)
    assert split.settings["test_cut"] == 5.0
    assert split.settings["valid_cut"] == 2.0
    assert sorted(learned(interactions, split.test)) == [20, 21, 22, 23, 24, 25]
    assert sorted(learned(interactions, split.valid)) == [20, 21, 22]
    assert histories(interactions, split.valid) == [([20, 21], 24), ([22], 23)]
    assert histories(interactions, split.test) == [
        ([20, 21, 24], 26),
        ([22, 23, 28], 29),
        ([25], 27),
    ]
    assert split.refits
    assert split.test.live_by_time
    assert split.test.live_ends.tolist() == interactions.starts[1:].tolist()
    assert split.valid.live_ends.tolist() == split.test.learned_ends.tolist()


def test_without_a_refit_the_selected_model_is_the_tested_one() -> None:
    interactions = gathered(temporal_rows())
    split = temporal(interactions, 0.5, refit=False)
    assert not split.refits
    assert learned(interactions, split.test) == learned(interactions, split.valid)
    assert len(split.test.cases) == 3


def test_slices_say_what_was_cold_when_it_was_tested() -> None:
    """User 2 is cold for the model that learned up to 2; item 20 is the only repeated one."""
    rows = temporal_rows()
    rows[9] = (1, 20, 9.0)
    interactions = gathered(rows)
    split = temporal(interactions, 0.5, refit=False)
    slices = case_slices(interactions, split.test)
    assert tuple(slices) == SLICES
    assert slices["cold_items"].tolist() == [True, False, True]
    assert slices["cold_users"].tolist() == [False, False, True]
    assert slices["warm"].tolist() == [False, True, False]
    assert slices["short_histories"].tolist() == [True, True, True]
    assert slices["long_histories"].tolist() == [False, False, False]
    refitted = temporal(interactions, 0.5)
    assert not case_slices(interactions, refitted.test)["cold_users"].any()


def test_repeats_are_targets_that_the_user_clicked_before() -> None:
    """User 0 comes back to 10; user 1's target is new, though another user clicked it."""
    rows = [(0, 10, 1.0), (0, 11, 2.0), (0, 12, 3.0), (0, 10, 4.0)]
    rows += [(1, 13, 1.0), (1, 13, 2.0), (1, 14, 3.0), (1, 12, 4.0)]
    interactions = gathered(rows)
    split = leave_one_out(interactions)
    assert split.test.cases.repeats(interactions).tolist() == [True, False]
    assert split.valid.cases.repeats(interactions).tolist() == [False, False]


@pytest.mark.parametrize("quantile", [0.0, 1.0, -1.0, float("nan")])
def test_a_quantile_lies_between_0_and_1(quantile: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        temporal(gathered(temporal_rows()), quantile)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(n, n, float(n)) for n in range(9)], "no user has two clicks"),
        ([(0, n, 1.0) for n in range(9)], "history clicks late enough to validate"),
        ([(0, 0, 1.0), (0, 1, 2.0), (1, 2, 8.0), (2, 3, 9.0)], "late enough to test"),
    ],
)
def test_a_part_that_would_be_empty_is_named(rows: Rows, message: str) -> None:
    with pytest.raises(SplitError, match=message):
        temporal(gathered(rows), 0.5)


def test_no_clicks_at_all_are_refused() -> None:
    none = np.zeros(0)
    nothing = Interactions(
        np.zeros(1, dtype=np.int64), none.astype(int), none, none.astype(np.uint8), 0
    )
    with pytest.raises(SplitError, match="no user has 3 clicks"):
        leave_one_out(nothing)
    with pytest.raises(SplitError, match="no clicks"):
        temporal(nothing)


CLICKS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 12).map(float)),
    min_size=1,
    max_size=60,
)


def check(split: Split, eligible: npt.NDArray[np.bool_]) -> None:
    """Check what every split promises, whatever the protocol."""
    interactions = split.interactions
    starts, stops = interactions.starts[:-1], interactions.starts[1:]
    for stage in (split.valid, split.test):
        cases = stage.cases
        assert len(set(cases.users.tolist())) == len(cases) > 0
        assert (cases.history_lengths(interactions) > 0).all()
        assert eligible[cases.positions].all()
        assert ((starts <= stage.learned_ends) & (stage.learned_ends <= stage.live_ends)).all()
        assert (stage.live_ends <= stops).all()
        # Nothing that is learned is predicted, nor lies after what is predicted of its user.
        assert (stage.learned_ends[cases.users] <= cases.positions).all()
        if not stage.live_by_time:
            assert (stage.live_ends[cases.users] <= cases.positions).all()
    # What selects the model never reaches what tests it.
    both, of_valid, of_test = np.intersect1d(
        split.valid.cases.users, split.test.cases.users, return_indices=True
    )
    assert (
        split.valid.cases.positions[of_valid] < split.test.cases.positions[of_test]
    ).all() or not len(both)


@given(CLICKS, st.data())
def test_no_split_learns_what_it_predicts(rows: Rows, data: st.DataObject) -> None:
    interactions = gathered(rows)
    chosen = st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))
    eligible = np.array(data.draw(chosen))
    try:
        check(leave_one_out(interactions, eligible), eligible)
    except SplitError:
        counts = np.bincount(interactions.users[eligible], minlength=6)
        assert counts.max() < 3


@pytest.mark.parametrize("quantile", [0.3, 0.5, 0.9])
def test_no_temporal_split_learns_from_after_its_moment(quantile: float) -> None:
    """With and without targets that are not eligible, and with a second learning or not."""
    rng, made = np.random.default_rng(5), 0
    for n in range(60):
        interactions = gathered(
            [(int(rng.integers(6)), int(rng.integers(9)), float(time)) for time in range(50)]
        )
        eligible = rng.random(50) < rng.choice((0.3, 1.0))
        try:
            split = temporal(interactions, quantile, refit=n % 2 == 0, eligible=eligible)
        except SplitError:
            continue
        made += 1
        check(split, eligible)
        times = interactions.times
        for stage, cut in ((split.valid, "valid_cut"), (split.test, "test_cut")):
            moment = float(split.settings[cut])
            assert times[clicks_before(interactions, stage.learned_ends)].max() <= moment
            assert times[stage.cases.positions].min() > moment
        assert times[split.valid.cases.positions].max() <= float(split.settings["test_cut"])
    assert made > 40


@pytest.mark.parametrize("quantile", [0.3, 0.5, 0.9])
def test_what_is_learned_whole_is_selected_as_if_a_test_came_after_it(quantile: float) -> None:
    """At the moment of the temporal split whose test begins where the clicks end.

    Every later click with a history selects, the last of each user as in that split.
    """
    rng = np.random.default_rng(3)
    rows = [(int(rng.integers(6)), int(rng.integers(9)), float(time)) for time in range(50)]
    later = temporal(gathered(rows), quantile)
    moment = float(later.settings["test_cut"])
    interactions = gathered([row for row in rows if row[2] <= moment])
    split = whole(interactions, quantile)
    assert split.settings["valid_cut"] == later.settings["valid_cut"]
    assert learned(interactions, split.valid) == learned(later.interactions, later.valid)
    expected = [
        number
        for number, time in enumerate(interactions.times)
        if time > float(split.settings["valid_cut"]) and number not in interactions.starts
    ]
    assert split.valid.cases.positions.tolist() == expected
    for history in histories(later.interactions, later.valid):
        assert history in histories(interactions, split.valid)
    assert clicks_before(interactions, split.test.learned_ends).all()
    assert not len(split.test.cases)


def test_what_cannot_be_selected_is_not_learned_whole() -> None:
    with pytest.raises(SplitError, match="no user has two clicks so far"):
        whole(gathered([(n, n, float(n)) for n in range(9)]))
    with pytest.raises(SplitError, match="late enough to validate"):
        whole(gathered([(0, n, 1.0) for n in range(9)]))
    with pytest.raises(ValueError, match="between 0 and 1"):
        whole(gathered(temporal_rows()), 1.0)


def beauty(path: Path) -> Interactions:
    table = pyarrow.csv.read_csv(path)
    users, items, times = (
        table[name].to_numpy().astype(np.int64) for name in ("user_id", "item_id", "timestamp")
    )
    return gather_interactions(
        users,
        items,
        times.astype(np.float64),
        np.zeros(len(users), dtype=np.uint8),
        user_count=int(users.max()) + 1,
        item_count=int(items.max()) + 1,
    )


@pytest.mark.data
def test_the_splits_of_beauty_have_the_published_sizes(click_log: Callable[[str], Path]) -> None:
    """Every user is tested by leave-one-out; 6,110 by the temporal split at 0.9.

    The latter is the denominator of the fractions in the result files of "Time to Split".
    """
    interactions = beauty(click_log("amazon-beauty-5core"))
    everyone = leave_one_out(interactions)
    assert len(everyone.test.cases) == len(everyone.valid.cases) == 22_363
    assert clicks_before(interactions, everyone.test.learned_ends).sum() == 198_502 - 2 * 22_363
    later = temporal(interactions, 0.9)
    assert len(later.test.cases) == 6_110
    assert len(later.valid.cases) == 6_263
    slices = case_slices(interactions, later.test)
    assert slices["cold_items"].mean() == pytest.approx(0.158, abs=0.001)
    assert slices["cold_users"].mean() == pytest.approx(0.097, abs=0.001)
