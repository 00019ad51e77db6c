"""The newest view and model are noticed, and trouble with them is survived."""

from pathlib import Path

import numpy as np
import pytest

from consumers.serving.newest_artifacts import NewestArtifacts
from stream.errors import StateMismatchError
from tests.consumers.publisher_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def serving(world: World) -> NewestArtifacts:
    return NewestArtifacts(world.config, world.artifacts, world.clock)


def _look(world: World, serving: NewestArtifacts) -> bool:
    world.clock.sleep(1.0)
    return serving.refresh()


def test_nothing_then_a_view_then_a_model(world: World, serving: NewestArtifacts) -> None:
    """It is ready with the first view, and serves a model from when it comes."""
    assert not _look(world, serving)
    assert not serving.ready
    world.publish_view()
    assert _look(world, serving)
    assert (serving.ready, serving.version) == (True, 0)
    world.publish_model()
    assert _look(world, serving)
    assert serving.version == 1
    assert not _look(world, serving)


def test_looks_only_now_and_then(world: World, serving: NewestArtifacts) -> None:
    """Between two looks the store is left alone."""
    assert not serving.refresh()
    world.publish_view()
    assert not serving.refresh()
    assert _look(world, serving)


def test_a_model_before_the_first_view(world: World, serving: NewestArtifacts) -> None:
    """It waits for the view, and then serves."""
    world.publish_model()
    _look(world, serving)
    assert not serving.ready
    world.publish_view()
    _look(world, serving)
    assert (serving.ready, serving.version) == (True, 1)


def test_versions_by_time(world: World, serving: NewestArtifacts) -> None:
    """Every version counts from when it was published, adopted here or not."""
    world.publish_view()
    begun = world.clock.time()
    for _ in range(3):
        world.clock.sleep(10.0)
        world.publish_model()
    _look(world, serving)
    times = begun + np.array([5.0, 10.0, 15.0, 25.0, 35.0])
    assert serving.versions_at(times).tolist() == [0, 1, 1, 2, 3]


@pytest.mark.parametrize("kind", ["views", "snapshots"])
def test_torn_files_leave_the_old_in_place(
    world: World, serving: NewestArtifacts, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """Damage is said once, and the next good one is taken."""
    world.publish_view()
    world.publish_model()
    _look(world, serving)
    world.publish_view()
    world.publish_model()
    folder = world.directory / "artifacts" / kind / "000002"
    for path in folder.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-7])
    for _ in range(3):
        _look(world, serving)
    assert caplog.text.count("is left out") == 1
    assert serving.ready
    world.publish_view()
    world.publish_model()
    _look(world, serving)
    assert serving.version == 3


def test_a_model_of_another_configuration(
    world: World, serving: NewestArtifacts, caplog: pytest.LogCaptureFixture
) -> None:
    """It is refused, with both values said, and the one before stays."""
    world.publish_view()
    world.publish_model()
    _look(world, serving)
    world.config = world.config.with_values({"model": {"dimension": 16}})
    world.publish_model()
    _look(world, serving)
    assert serving.version == 1
    assert "cannot be served" in caplog.text
    assert "dimension" in caplog.text


def test_a_view_of_other_half_lives_is_refused(world: World) -> None:
    """Its counters would be read as what they are not."""
    world.publish_view()
    for name in ("half_lives_seconds", "close_half_lives_seconds"):
        other = world.config.with_values({"state": {name: [60.0, 600.0]}})
        serving = NewestArtifacts(other, world.artifacts, world.clock)
        with pytest.raises(StateMismatchError, match=rf"state\.{name} = \[\d+\.0, \d+"):
            _look(world, serving)
