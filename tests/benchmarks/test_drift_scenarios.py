"""The made-up streams change when they say, and only then."""

import numpy as np
import pytest

from benchmarks.drift.runs import click_batch
from benchmarks.drift.scenarios import (
    FARM_ITEMS,
    FARM_SHARE,
    FARM_USERS,
    FOLLOW_SHARE,
    ITEMS,
    RECURRING_SHARES,
    SCENARIOS,
    TASTE_ITEMS,
    USERS,
    WAVE_SHARES,
    Change,
    make_stream,
)

CLICKS = 10_000
TWIN = make_stream("stationary", CLICKS, 3)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_seed_makes_the_same_stream_in_order(scenario: str) -> None:
    """Columns are equal, times ascend, and another seed makes another stream."""
    first, second = make_stream(scenario, CLICKS, 3), make_stream(scenario, CLICKS, 3)
    for column in ("users", "items", "times", "honest"):
        np.testing.assert_array_equal(getattr(first, column), getattr(second, column))
    assert first.changes == second.changes
    assert (np.diff(first.times) > 0).all()
    assert first.honest.sum() == CLICKS
    assert (make_stream(scenario, CLICKS, 4).items[:CLICKS] != first.items[:CLICKS]).any()


@pytest.mark.parametrize("scenario", ["abrupt", "gradual", "recurring", "waves", "click-farm"])
def test_nothing_differs_from_the_twin_before_the_first_change(scenario: str) -> None:
    """Users and items are the same until then, and not for long after it."""
    stream = make_stream(scenario, CLICKS, 3)
    start = stream.changes[0].start
    np.testing.assert_array_equal(stream.items[:start], TWIN.items[:start])
    np.testing.assert_array_equal(stream.users[:start], TWIN.users[:start])
    np.testing.assert_array_equal(stream.times[:start], TWIN.times[:start])
    assert (stream.items[start : start + 500] != TWIN.items[start : start + 500]).any()


def test_changes_come_when_the_scenario_says() -> None:
    """At a half, over a tenth, by turns, wave by wave; seasons and rest are no change."""
    half = CLICKS // 2
    assert make_stream("abrupt", CLICKS, 0).changes == (Change(half, half),)
    assert make_stream("click-farm", CLICKS, 0).changes == (Change(half, half),)
    assert make_stream("gradual", CLICKS, 0).changes == (Change(half, half + CLICKS // 10),)
    for scenario, shares in (("recurring", RECURRING_SHARES), ("waves", WAVE_SHARES)):
        starts = [change.start for change in make_stream(scenario, CLICKS, 0).changes]
        assert starts == [round(share * CLICKS) for share in shares]
    assert not make_stream("stationary", CLICKS, 0).changes
    assert not make_stream("seasons", CLICKS, 0).changes


def test_a_gradual_change_grows_over_its_tenth_and_is_then_the_abrupt_one() -> None:
    """Clicks unlike the twin's are few at first; after its end each follows the second regime."""
    gradual, abrupt = (make_stream(name, CLICKS, 3) for name in ("gradual", "abrupt"))
    change = gradual.changes[0]
    middle = (change.start + change.end) // 2
    unlike = gradual.items != TWIN.items
    assert unlike[change.start : middle].mean() < 0.7 * unlike[middle : change.end].mean()
    late = slice(change.end + CLICKS // 4, None)
    assert (gradual.items[late] == abrupt.items[late]).mean() > 0.95


def test_a_recurring_stream_comes_back() -> None:
    """In the first regime's second turn most clicks are the twin's again."""
    stream = make_stream("recurring", CLICKS, 3)
    same = stream.items == TWIN.items
    first, second, third = (change.start for change in stream.changes)
    assert same[first:second].mean() < 0.5
    assert same[second + 500 : third].mean() > 0.8
    assert same[third + 500 :].mean() < 0.5


def test_waves_replace_items_that_nobody_clicks_any_more() -> None:
    """About half of the clicks go to items of the newest wave, and replaced items are gone."""
    stream = make_stream("waves", CLICKS, 3)
    np.testing.assert_array_equal(stream.items % ITEMS, TWIN.items)
    for number, change in enumerate(stream.changes, start=1):
        before, after = stream.items[: change.start], stream.items[change.start :]
        assert before.max() < number * ITEMS
        new = (after[:1000] // ITEMS == number).mean()
        assert 0.35 < new < 0.65
        replaced = np.unique(after[after // ITEMS == number] % ITEMS)
        assert not np.isin(after[after // ITEMS < number] % ITEMS, replaced).any()


def test_seasons_change_volume_and_taste_with_the_hour() -> None:
    """Noon is far busier than midnight, and more clicks differ from the twin's at some hours."""
    stream = make_stream("seasons", CLICKS, 3)
    hour = ((stream.times - TWIN.times[0]) % 86_400 / 3600).astype(int)
    counts = np.bincount(hour, minlength=24)
    assert counts[11:13].sum() > 4 * counts[[0, 23]].sum()
    unlike = stream.items != TWIN.items
    assert unlike[hour == 18].mean() > 2 * unlike[hour == 6].mean()


def test_the_farm_is_a_hundredth_of_the_traffic_among_the_twins_clicks() -> None:
    """Honest clicks are the twin's, one by one; the farm's users and items are few."""
    stream = make_stream("click-farm", CLICKS, 3)
    np.testing.assert_array_equal(stream.items[stream.honest], TWIN.items)
    np.testing.assert_array_equal(stream.users[stream.honest], TWIN.users)
    farm = ~stream.honest
    start = stream.changes[0].start
    assert not farm[:start].any()
    assert farm[start:].mean() == pytest.approx(FARM_SHARE, rel=0.05)
    assert len(np.unique(stream.users[farm])) <= FARM_USERS
    assert stream.users[farm].min() >= USERS
    assert len(np.unique(stream.items[farm])) <= FARM_ITEMS


def test_users_follow_from_one_item_to_few_others() -> None:
    """After the most clicked item, a handful of items takes about the share of follow-ups."""
    stream = make_stream("stationary", 60_000, 3)
    order = np.lexsort((stream.times, stream.users))
    users, items = stream.users[order], stream.items[order]
    same_user = users[1:] == users[:-1]
    popular = np.bincount(items).argmax()
    next_items = items[1:][same_user & (items[:-1] == popular)]
    top = np.sort(np.bincount(next_items))[-3:].sum() / len(next_items)
    assert top > 0.8 * FOLLOW_SHARE
    assert set(np.unique(items // TASTE_ITEMS)) == set(range(ITEMS // TASTE_ITEMS))


def test_offsets_number_the_clicks() -> None:
    """What the loop is given can be found again in the stream."""
    batch = click_batch(TWIN)
    np.testing.assert_array_equal(batch.offsets, np.arange(CLICKS))
    assert len(np.unique(batch.hashes)) == CLICKS
    assert batch.item_ids[7] == f"i{TWIN.items[7]}"
