"""Settings that artifacts were written with: refused by name, or taken over by who only reads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from consumers.artifacts.written_settings import (
    as_written,
    refuse_other_journal,
    refuse_other_model,
    refuse_other_scales,
)
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError
from gsr.counters.items.item_graph import ItemGraph
from gsr.errors import SnapshotError
from stream.errors import StateMismatchError
from tests.consumers.publisher_world import World
from tests.consumers.views import view_of

OTHER = GsrConfig().with_values(
    {
        "state": {"half_lives_seconds": [60.0, 600.0]},
        "events": {"weights": {"view": 1.0, "buy": 5.0}, "default_event": "view"},
        "model": {"dimension": 8, "hidden": 8},
    }
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return an artifact store with a model of other settings than the usual ones."""
    world = World(tmp_path)
    world.config = OTHER.with_values({"state": {"directory": tmp_path}})
    world.publish_model()
    return world


def test_a_model_is_refused_by_the_names_of_settings(world: World) -> None:
    """As users write them, with both values."""
    written = world.artifacts.snapshot_manifest(1)["config"]
    refuse_other_model(written, OTHER, "model 1")
    with pytest.raises(SnapshotError) as refusal:
        refuse_other_model(written, GsrConfig(), "model 1")
    for words in (
        "model.dimension = 8, the configuration says 64",
        "state.half_lives_seconds = [60.0, 600.0]",
        "events.weights = [1.0, 5.0]",
        "--config FILE",
    ):
        assert words in str(refusal.value)


def test_what_no_weight_depends_on_may_differ(world: World) -> None:
    """Such settings may be changed at any time."""
    written = world.artifacts.snapshot_manifest(1)["config"]
    refuse_other_model(written, OTHER.with_values({"model": {"new_item_boost": 9.0}}), "model 1")


def test_a_store_whose_trainer_learns_another_model_is_refused(world: World) -> None:
    """By the journal; without one there is nothing to refuse."""
    refuse_other_journal(world.artifacts, GsrConfig())
    manifest = world.artifacts.snapshot_manifest(1)
    model = {name: manifest[name] for name in ("model_format", "config")}
    world.artifacts.save_journal(b"", {"model": model})
    refuse_other_journal(world.artifacts, OTHER)
    with pytest.raises(SnapshotError, match=r"the trainer's model was made with model\.dimension"):
        refuse_other_journal(world.artifacts, GsrConfig())


def test_a_model_of_another_kind_is_left_to_the_trainer(world: World) -> None:
    """Its settings have other names: what to do is said of its format, not of these."""
    world.artifacts.save_journal(b"", {"model": {"model_format": 3, "config": {"blocks": 1}}})
    refuse_other_journal(world.artifacts, GsrConfig())


def test_a_torn_journal_stops_only_who_reads_it(world: World) -> None:
    """The publisher starts beside it; the trainer is told what to do."""
    world.artifacts.save_journal(b"", {})
    (world.directory / "artifacts" / "trainer" / "journal.json").write_text("{")
    refuse_other_journal(world.artifacts, OTHER)
    with pytest.raises(ArtifactError, match="move the folder `trainer`"):
        world.artifacts.load_journal()


def counted(half_lives: tuple[float, ...], close_half_lives: tuple[float, ...]) -> ItemGraph:
    """Return counters without items on these time scales."""
    return view_of({}).graph._replace(
        half_lives=np.array(half_lives), close_half_lives=np.array(close_half_lives)
    )


def test_a_view_of_other_half_lives_is_refused() -> None:
    """With the flag that makes it fit."""
    written = counted(OTHER.state.half_lives_seconds, OTHER.state.close_half_lives_seconds)
    refuse_other_scales(written, OTHER)
    with pytest.raises(StateMismatchError, match=r"--set 'state.half_lives_seconds=\[60.0, 600"):
        refuse_other_scales(written, GsrConfig())


@pytest.mark.parametrize(
    ("close_half_lives", "way_out"),
    [((), "close_clicks=0"), ((60.0,), r"close_half_lives_seconds=\[60.0\]")],
)
def test_a_view_of_other_close_clicks_is_refused(
    close_half_lives: tuple[float, ...], way_out: str
) -> None:
    """One without any is of counters that were not asked for them."""
    written = counted(GsrConfig().state.half_lives_seconds, close_half_lives)
    with pytest.raises(StateMismatchError, match=rf"--set 'state\.{way_out}'"):
        refuse_other_scales(written, GsrConfig())


def test_who_only_reads_takes_what_was_written(world: World) -> None:
    """Half-lives of the view, settings and event weights of the model."""
    taken = as_written(OTHER, world.artifacts, counted((60.0, 600.0), ()))
    assert taken.model == replace(OTHER.model, close_half_lives=())
    assert taken.state.close_clicks == 0
    usual = GsrConfig().with_values({"events": {"weights": {"a": 2.0, "b": 2.0, "click": 1.0}}})
    taken = as_written(usual, world.artifacts, counted((1.0, 2.0, 3.0), (5.0,)))
    assert taken.state.shape().close_half_lives == (5.0,)
    assert taken.model.dimension == 8
    assert taken.model.half_lives == (1.0, 2.0, 3.0)
    assert taken.events.weights == {"a": 1.0, "b": 5.0}  # the model does not tell their names
    one = GsrConfig().with_values({"events": {"weights": {"click": 2.0}}})
    assert list(as_written(one, world.artifacts, None).events.weights.values()) == [1.0, 5.0]


def test_the_names_of_events_come_with_the_model(world: World) -> None:
    """So that a question finds what each of a user's clicks is worth."""
    manifest = world.artifacts.snapshot_manifest(1)
    world.artifacts.publish_snapshot(b"", {**manifest, "event_names": ["view", "buy"]})
    taken = as_written(GsrConfig(), world.artifacts, None)
    assert taken.events.weights == {"view": 1.0, "buy": 5.0}
    assert taken.events.default_event == "view"


def test_without_a_model_the_configuration_stands(tmp_path: Path) -> None:
    """Nothing written, nothing taken over."""
    assert as_written(OTHER, World(tmp_path).artifacts, None) == OTHER
