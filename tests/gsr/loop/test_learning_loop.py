"""The loop: each click is tested before anything learns from it, then learned once, then judged."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from gsr.errors import TrainingError
from gsr.loop import reports
from gsr.loop.learning_loop import LearningLoop
from gsr.quality.drift import Alarm, OutcomeDetector
from gsr.ranker.ranked_clicks import RankedClicks, join
from gsr.ranker.snapshot import to_arrays
from tests.gsr.loop.world import (
    HIDE,
    LEARNER,
    OPTIONS,
    SEEN,
    STATE,
    batch_of,
    loop_of,
    ring,
)


def graph_of(loop: LearningLoop) -> list[list[float]]:
    """Return the live counters as numbers."""
    graph = loop.mirror.graph()
    return [np.asarray(column, dtype=np.float64).ravel().tolist() for column in graph]


def joined(loop: LearningLoop) -> RankedClicks:
    """Return the clicks that wait to be learned, as one part of the same memory."""
    learner = loop.stream.learner
    learner._waiting = [join(learner._waiting)]  # noqa: SLF001 - what waits has no other door
    return learner._waiting[0]  # noqa: SLF001


def test_every_click_is_tested_once_and_learned_once() -> None:
    """Whoever clicked before is tested and learned; of first clicks nothing is known."""
    loop, clicks = loop_of(), ring(400)
    loop.advance(clicks.slice(0, 300))
    assert loop.waiting == loop.totals.clicks == 300
    assert loop.test() == loop.waiting == 280  # 20 users
    assert loop.test() == 0
    report = loop.learn()
    assert report is not None
    assert 0 < 280 - report.learned.fresh < 280  # those of held-back users
    assert report.verdict.samples > 0
    assert loop.waiting == 0
    assert loop.learn() is None
    loop.advance(clicks.slice(300, 400))
    assert loop.test() == 100
    loop.learn()  # what the judge held back is learned now
    assert 280 < loop.totals.fresh < 380
    loop.advance(ring(1, start=1e5))
    loop.test()
    loop.learn()
    assert loop.totals.fresh >= 380


def test_a_click_is_ranked_by_what_came_before_it() -> None:
    """Later clicks of the same batch change no rank, of the model nor of a baseline."""
    clicks, found = ring(120), []
    for count in (60, 120):
        tested: list[reports.TestedClicks] = []
        loop = LearningLoop(OPTIONS, on_tested=tested.append)
        loop.advance(clicks.slice(0, count))
        loop.test()
        found.append(np.concatenate([part.ranks for part in tested]))
    alone, followed = found
    assert 0 < len(alone) < len(followed)
    np.testing.assert_array_equal(followed[: len(alone)], alone)


def test_a_new_item_is_a_miss() -> None:
    """Nobody can rank what nobody has clicked."""
    loop = loop_of()
    loop.advance(batch_of([("u", "a", 0.0), ("u", "b", 1.0)]))
    assert loop.test() == 1
    assert not loop.quality.overall.sums.any()


def test_the_ring_is_learned() -> None:
    """A few cycles on, most next items are among the first five."""
    loop = loop_of(recent_clicks=60)
    for cycle in range(4):
        loop.advance(ring(150, start=9_000.0 * cycle, seed=cycle))
        loop.test()
        loop.learn()
    assert loop.totals.cycles == 4
    assert loop.recent_ranks.means("joint")["hr@5"] > 0.6


def test_history_measures_the_baselines_alone() -> None:
    """With ``rank=False`` clicks are counted and learned, but the model is not tested."""
    loop, tested = loop_of(), loop_of()
    loop.advance(ring(200), rank=False)
    assert loop.test() == loop.quality.overall.scored == 0
    tested.advance(ring(200))
    tested.test()
    assert loop.warmup_quality.overall.scored == tested.quality.overall.scored
    np.testing.assert_array_equal(loop.warmup_quality.overall.sums, tested.quality.overall.sums[1:])
    assert graph_of(loop) == graph_of(tested)
    report = loop.learn()
    assert report is not None
    assert 0 < report.learned.fresh <= 180


@pytest.mark.parametrize(("mask_seen", "expected"), [(True, 1), (False, 2)])
def test_repeats_are_tested_only_where_lists_may_hold_them(mask_seen: bool, expected: int) -> None:
    """With `mask_seen` a click on an item of the buffer is neither tested nor learned."""
    loop = loop_of(mask_seen=mask_seen)
    loop.advance(batch_of([("u", "a", 0.0), ("u", "b", 1.0), ("u", "a", 2.0)]))
    assert loop.waiting == expected + 1
    assert loop.test() == loop.waiting == expected
    assert loop.totals.clicks == 3


@pytest.mark.parametrize("event", [SEEN, HIDE])
def test_events_without_positive_weight_are_not_learned(event: int) -> None:
    """They are counted as clicks, and mark items as seen."""
    loop = loop_of()
    loop.advance(batch_of([("u", "a", 0.0), ("u", "b", 1.0)], event))
    assert loop.totals.clicks == 2
    assert loop.test() == loop.waiting == 0


def test_a_forgotten_user_begins_anew() -> None:
    """The next click is a first one."""
    loop = loop_of()
    loop.advance(batch_of([("u", "a", 0.0), ("u", None, 1.0), ("u", "b", 2.0)]))
    assert loop.test() == 0
    assert (loop.totals.clicks, loop.totals.forgotten) == (2, 1)


def test_a_share_is_learned_and_everything_is_counted() -> None:
    """Under load some samples are shed, but the live counters see every click."""
    whole, part = loop_of(), loop_of()
    whole.advance(ring(800))
    part.advance(ring(800), share=0.25)
    assert graph_of(part) == graph_of(whole)
    assert part.totals.clicks == 800
    assert part.waiting + part.totals.shed_fresh == 800
    assert 150 < part.waiting < 250


def test_the_oldest_samples_are_shed_past_what_may_wait() -> None:
    """What was tested longest ago goes first, whole chunks at a time."""
    loop = loop_of(most_samples=250)
    clicks = ring(300)
    tested = []
    for start in (0, 100, 200):
        loop.advance(clicks.slice(start, start + 100))
        tested.append(loop.test())
    assert loop.waiting == sum(tested[1:]) <= 250
    assert loop.totals.shed_fresh == tested[0]


def test_samples_of_items_that_left_are_not_learned() -> None:
    """A row that stands for another item has nothing of the old one: no sample, no vector."""
    loop = loop_of(state=type(STATE)(half_lives=STATE.half_lives, item_ttl_seconds=3600.0))
    loop.advance(ring(100))
    loop.test()
    before = loop.waiting
    rows = {item: row for row, item in enumerate(loop.mirror.item_ids)}
    vectors = loop.stream.item_vectors()[rows["i3"]].copy()
    loop.advance(batch_of([("new", f"j{n}", 40_000.0 + n) for n in range(40)]))
    loop.test()
    assert not any(item.startswith("i") for item in loop.mirror.item_ids)
    waiting = joined(loop)
    assert loop.waiting == 39 < before
    assert (waiting.targets < 0).all()  # new items were no candidates
    assert loop.mirror.generations[rows["i3"]] > 0
    assert not np.array_equal(loop.stream.item_vectors()[rows["i3"]], vectors)
    assert loop.learn() is not None


class _Alarming(OutcomeDetector):
    """Raises one alarm, at the third outcome."""

    def update(self, outcomes: npt.NDArray[np.bool_]) -> list[Alarm]:
        self.outcomes += len(outcomes)
        return [Alarm(2, "adwin", 0.5, 0.1)]


def test_an_alarm_bears_the_time_of_the_click_that_raised_it() -> None:
    """The detector numbers outcomes; the loop knows whose they were."""
    loop = loop_of()
    loop.detector = _Alarming()
    clicks = [("u", f"i{n}", 60.0 * n) for n in range(5)]
    loop.advance(batch_of(clicks))
    loop.test()
    assert [(a.time, a.detector, a.before, a.after) for a in loop.alarms] == [
        (1e9 + 180.0, "adwin", 0.5, 0.1)  # the first click was not tested
    ]


def test_replay_is_shed_when_time_runs_out() -> None:
    """Fresh samples are learned whatever the time; the totals say what was not."""
    loop = loop_of()
    for cycle in range(2):
        loop.advance(ring(150, start=9000.0 * cycle, seed=cycle))
        loop.test()
        loop.learn(lambda: True)
    assert loop.totals.replayed == 0
    assert loop.totals.shed_replay > 0
    assert loop.totals.fresh > 200


def test_another_models_weights_are_adopted_row_by_row() -> None:
    """Rows that stand for other items there keep their own vectors."""
    loop = loop_of()
    loop.advance(ring(100))
    loop.test()
    loop.learn()
    other = loop_of(learner=replace(LEARNER, seed=5))
    other.advance(ring(100))
    other.test()
    other.learn()
    mine, theirs = loop.stream.item_vectors().copy(), other.stream.item_vectors().copy()
    generations = loop.mirror.generations.copy()
    generations[7] += 1
    loop.adopt(other.stream.model, generations)
    expected = theirs.copy()
    expected[7] = mine[7]
    np.testing.assert_array_equal(loop.stream.item_vectors(), expected)
    for name, array in to_arrays(loop.stream.model).items():
        if name != "items":
            np.testing.assert_array_equal(array, to_arrays(other.stream.model)[name])


def test_learning_goes_on_from_adopted_weights() -> None:
    """The average that is served is not pulled back to where learning stood before."""
    loop, other = loop_of(learner=replace(LEARNER, network_rate=1e-12)), loop_of()
    for one in (loop, other):
        one.advance(ring(100))
        one.test()
        one.learn()
    loop.adopt(other.stream.model, loop.mirror.generations.copy())
    loop.advance(ring(200).slice(100, 200))
    loop.test()
    assert loop.learn() is not None
    pairs = zip(loop.stream.model.network.weights, other.stream.model.network.weights, strict=True)
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_clicks_that_wait_are_let_go() -> None:
    """They change no weight."""
    loop = loop_of()
    loop.advance(ring(100))
    loop.test()
    before = to_arrays(loop.stream.model)
    loop.let_go()
    assert loop.waiting == 0
    assert loop.learn() is None
    for name, array in to_arrays(loop.stream.model).items():
        np.testing.assert_array_equal(array, before[name])


def test_numbers_that_are_not_finite_bring_the_old_weights_back() -> None:
    """The clicks are dropped, and the next cycle learns as if nothing had been."""
    loop = loop_of()
    loop.advance(ring(150))
    loop.test()
    loop.learn()
    loop.advance(ring(150, start=9000.0, seed=1))
    loop.test()
    before = to_arrays(loop.stream.model)
    joined(loop).features[:] = np.nan
    with pytest.raises(TrainingError):
        loop.learn()
    assert loop.waiting == 0
    for name, array in to_arrays(loop.stream.model).items():
        np.testing.assert_array_equal(array, before[name])
    loop.advance(ring(150, start=18_000.0, seed=2))
    assert loop.test() > 0
    assert loop.learn() is not None


def test_nobodys_click_leaves_their_buffer_within_a_chunk() -> None:
    """However few users click: a click that left is known to nobody when its chunk is ranked."""
    clicks = [("u", f"i{n}", float(n)) for n in range(100)]
    clicks[40:40] = [("v", f"i{n}", 40.0) for n in range(3)]
    whole, single = loop_of(), loop_of()
    whole.advance(batch_of(clicks))
    ranks: list[reports.TestedClicks] = []
    for count in (1, len(clicks)):
        loop = LearningLoop(OPTIONS, on_tested=ranks.append)
        for start in range(0, len(clicks), count):
            loop.advance(batch_of(clicks).slice(start, start + count))
        loop.test()
    alone = np.concatenate([part.ranks for part in ranks if len(part) == 1])
    together = np.concatenate([part.ranks for part in ranks if len(part) > 1])
    np.testing.assert_array_equal(together, alone)
    single.advance(batch_of(clicks))
    assert graph_of(single) == graph_of(whole)


def test_one_seed_gives_one_result() -> None:
    """Two loops fed alike agree to the last bit."""
    loops = loop_of(), loop_of()
    for loop in loops:
        for cycle in range(2):
            loop.advance(ring(150, start=9000.0 * cycle, seed=cycle), share=0.9)
            loop.test()
            loop.learn()
    one, two = loops
    assert one.quality.to_dict() == two.quality.to_dict()
    for name, array in to_arrays(one.stream.model).items():
        np.testing.assert_array_equal(array, to_arrays(two.stream.model)[name])
