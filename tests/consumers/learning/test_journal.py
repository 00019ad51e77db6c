"""The journal: everything of a loop that cannot be read again from checkpoints."""

from dataclasses import asdict

import numpy as np
import pytest

from consumers.artifacts.numbered import Artifact
from consumers.config.settings import GsrConfig
from consumers.learning.journal import JOURNAL_FORMAT, Journal, Standing, write_journal
from consumers.learning.live_loop import live_loop
from gsr.errors import SnapshotError
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.reports import TimedAlarm
from gsr.ranker.snapshot import to_arrays
from tests.consumers.trainer_world import SMALL_LEARNER, SMALL_MODEL
from tests.gsr.loop.world import ring

CONFIG = GsrConfig().with_values({"model": SMALL_MODEL, "learner": SMALL_LEARNER})
STANDING = Standing(checkpoints={0: 7, 3: 9}, positions={0: 5, 3: 8}, version=4)


def feed(loop: LearningLoop, cycle: int) -> None:
    """Take a cycle of clicks in."""
    loop.advance(ring(120, start=7200.0 * cycle, seed=cycle))
    loop.test()
    loop.learn()


@pytest.fixture(scope="module")
def loop() -> LearningLoop:
    """Return a loop that has come some way."""
    loop = live_loop(CONFIG)
    for cycle in range(2):
        feed(loop, cycle)
    loop.alarms.append(TimedAlarm(1e9, "adwin", 0.5, 0.25))
    return loop


def journal_of(loop: LearningLoop, **changes: object) -> Journal:
    """Return what is read of a loop's journal, with some of its entries changed."""
    tensors, document = write_journal(loop, STANDING)
    return Journal(Artifact(0, tensors, {**document, **changes}))


def restored(journal: Journal) -> LearningLoop:
    """Return a loop that goes on where the journal ends, without its counters."""
    again = live_loop(CONFIG, journal.model(CONFIG.model))
    journal.name_rows(again)
    journal.restore(again)
    return again


def test_a_loop_goes_on_as_it_was(loop: LearningLoop) -> None:
    """Weights, optimiser, quality, detectors, alarms, totals and random state are the same."""
    again = restored(journal_of(loop))
    for name, array in to_arrays(loop.stream.model).items():
        np.testing.assert_array_equal(array, to_arrays(again.stream.model)[name], err_msg=name)
    mine, theirs = loop.stream.learner.state(), again.stream.learner.state()
    assert mine[1] == theirs[1]
    for name, array in mine[0].items():
        np.testing.assert_array_equal(array, theirs[0][name], err_msg=name)
    for rows, others in zip(
        loop.stream.recorder.popular, again.stream.recorder.popular, strict=True
    ):
        np.testing.assert_array_equal(rows, others)
    assert again.quality.to_dict() == loop.quality.to_dict()
    assert again.detector.recent().tolist() == loop.detector.recent().tolist()
    assert again.detector.outcomes == loop.detector.outcomes
    assert list(again.alarms) == list(loop.alarms)
    assert again.totals == loop.totals
    assert again.rng.bit_generator.state == loop.rng.bit_generator.state
    assert again.mirror.item_ids == loop.mirror.item_ids
    assert again.mirror.generations.tolist() == loop.mirror.generations.tolist()


def test_writing_what_was_read_changes_nothing(loop: LearningLoop) -> None:
    """A journal of a restored loop is the journal that it was restored from."""
    again = restored(journal_of(loop))
    assert write_journal(again, STANDING) == write_journal(loop, STANDING)


def test_it_says_where_the_trainer_stood(loop: LearningLoop) -> None:
    """Partitions are numbers again after JSON made them names."""
    assert journal_of(loop).standing == STANDING


def test_counts_that_are_no_longer_kept_are_passed_over(loop: LearningLoop) -> None:
    """An older journal with other entries is read; totals that it lacks begin at zero."""
    totals = {**asdict(loop.totals), "unheard_of": 7}
    del totals["steps"]
    again = restored(journal_of(loop, totals=totals, alarmed_cycles=3))
    assert again.totals.fresh == loop.totals.fresh
    assert again.totals.steps == 0


def test_another_format_is_refused_with_the_way_out(loop: LearningLoop) -> None:
    """Both formats are named, and what to do."""
    with pytest.raises(SnapshotError, match=r"format 99, this build reads 3: run the version"):
        journal_of(loop, journal_format=99)
    assert JOURNAL_FORMAT == 3


def test_a_model_of_other_settings_is_refused(loop: LearningLoop) -> None:
    """A journal goes on with the model that it was written with."""
    other = CONFIG.with_values({"model": {**SMALL_MODEL, "dimension": 16}})
    with pytest.raises(SnapshotError, match="dimension"):
        journal_of(loop).model(other.model)
