"""Clicks are recorded with what was known before them, while the counters move on."""

import numpy as np

from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.ids.id_column import IdColumn
from gsr.loop.click_recorder import ClickRecorder, accepted_clicks
from gsr.loop.mirror import Mirror
from tests.gsr.loop.world import OPTIONS, STATE, WEIGHTS, batch_of

CLICKS = [("u", "a", 0.0), ("u", None, 1.0), ("u", "b", 2.0), ("u", "c", 3.0), ("v", "b", 4.0)]


def applied_of(mirror: Mirror) -> AppliedClicks:
    """Return the clicks as the mirror's buffers took them."""
    applied, _ = mirror.push(batch_of(CLICKS))
    return applied


def test_baselines_count_accepted_clicks_alone() -> None:
    """Forget rows are left out; edges lie where their clicks are."""
    applied = applied_of(Mirror(STATE, WEIGHTS))
    assert applied.accepted_rows.tolist() == [0, 2, 3, 4]
    clicks = accepted_clicks(
        applied, applied.accepted_rows, np.array(WEIGHTS), np.arange(10, 15, dtype=np.uint64)
    )
    assert clicks.targets.tolist() == [0, 1, 2, 1]
    assert clicks.lengths.tolist() == [0, 0, 1, 0]
    assert clicks.weights.tolist() == [1.0] * 4
    assert np.diff(clicks.edge_starts).tolist() == [0, 0, 1, 0]
    assert (clicks.edge_sources.tolist(), clicks.edge_targets.tolist()) == ([1], [2])


def test_wanted_clicks_become_samples() -> None:
    """With the user's history, the clicked item first, and the edges that the click added."""
    mirror = Mirror(STATE, WEIGHTS)
    recorder = ClickRecorder(OPTIONS, mirror, np.random.default_rng(0))
    users = IdColumn.of([user for user, _, _ in CLICKS])
    _, samples, masked = recorder.record(applied_of(mirror), np.array([3, 4]), users)
    assert samples.candidates[:, 0].tolist() == [2, 1]
    assert samples.histories.lengths.tolist() == [1, 0]
    assert samples.histories.items[0, 0] == masked[0, 0] == 1
    assert samples.edge_sources[:, 0].tolist() == [1, -1]
    assert samples.user_hashes.tolist() == users.hashes[[3, 4]].tolist()
    assert mirror.graph().alive[:3].all()


def test_features_are_from_before_the_click() -> None:
    """The same click, recorded after a twin of it, sees the twin's popularity."""
    mirror = Mirror(STATE, WEIGHTS)
    recorder = ClickRecorder(OPTIONS, mirror, np.random.default_rng(0))
    users = IdColumn.of([user for user, _, _ in CLICKS])
    _, samples, _ = recorder.record(applied_of(mirror), np.array([2, 4]), users)
    popularity = samples.features[:, 0, 0]
    assert samples.candidates[:, 0].tolist() == [1, 1]
    assert popularity[0] < popularity[1]
