"""The serving view's files say exactly what the trainer's counters said."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load, save

from consumers.errors import ArtifactError
from consumers.serving.view import ServingView, decode_view, encode_view
from gsr.counters.items.item_graph import ItemGraph


def _view(item_ids: list[str]) -> ServingView:
    """Build a view whose rows lie in memory with gaps and in another order than their numbers."""
    items, scales, close_scales = len(item_ids), 2, 1
    rng = np.random.default_rng(7)
    lengths = rng.integers(0, 4, items).astype(np.int32)
    starts = (np.arange(items)[::-1] * 8).astype(np.int64)
    graph = ItemGraph(
        half_lives=np.array([3600.0, 86_400.0]),
        row_starts=starts,
        row_lengths=lengths,
        row_references=rng.integers(0, 9, (items, scales + close_scales)),
        neighbours=rng.integers(0, max(items, 1), items * 8).astype(np.uint32),
        weights=rng.random((items * 8, scales + close_scales), dtype=np.float32),
        popularity=rng.random((items, scales), dtype=np.float32),
        popularity_references=rng.integers(0, 9, (items, scales)),
        last_clicks=np.where(lengths > 0, 1e9, -np.inf),
        alive=lengths > 0,
        close_half_lives=np.array([1e7]),
    )
    return ServingView(
        graph=graph,
        item_ids=item_ids,
        generations=np.arange(items, dtype=np.int64),
        reference_time=1.7e9,
        created_at=1.7e9 + 3.5,
        positions={0: 17, 3: 4},
        number=12,
    )


@pytest.mark.parametrize(
    "item_ids",
    [[], ["a"], ["a", "", "bc"], ["é", "\U0001f600" * 9, "", "plain", "\x00"]],
    ids=["empty", "one", "free row", "unicode"],
)
def test_round_trip(item_ids: list[str]) -> None:
    """What is read is what was written, whatever the ids."""
    view = _view(item_ids)
    read = decode_view(*encode_view(view))
    assert read.item_ids == item_ids
    assert (read.number, read.reference_time, read.created_at) == (12, 1.7e9, 1.7e9 + 3.5)
    assert read.positions == {0: 17, 3: 4}
    np.testing.assert_array_equal(read.generations, view.generations)
    for row in range(len(item_ids)):
        old, new = (
            slice(g.row_starts[row], g.row_starts[row] + g.row_lengths[row])
            for g in (view.graph, read.graph)
        )
        np.testing.assert_array_equal(view.graph.neighbours[old], read.graph.neighbours[new])
        np.testing.assert_array_equal(view.graph.weights[old], read.graph.weights[new])
    for name in ItemGraph._fields:
        if name not in {"row_starts", "neighbours", "weights"}:
            expected = getattr(view.graph, name)
            np.testing.assert_array_equal(getattr(read.graph, name), expected)


def test_written_without_gaps() -> None:
    """Free slots of the trainer's memory are not part of the files."""
    view = _view(["a", "b", "c"])
    read = decode_view(*encode_view(view))
    assert len(read.graph.neighbours) == int(view.graph.row_lengths.sum())


def test_the_copy_does_not_follow_its_source() -> None:
    """The trainer may keep adding to its counters after the call."""
    view = _view(["a", "b"])
    tensors, manifest = encode_view(view)
    view.graph.popularity[:] = 0
    assert decode_view(tensors, manifest).graph.popularity.any()


def _torn(tensors: bytes, facts: dict[str, object]) -> tuple[bytes, dict[str, object]]:
    return tensors[:-5], facts


def _other_format(tensors: bytes, facts: dict[str, object]) -> tuple[bytes, dict[str, object]]:
    return tensors, facts | {"format": 99}


def _no_position(tensors: bytes, facts: dict[str, object]) -> tuple[bytes, dict[str, object]]:
    return tensors, {k: v for k, v in facts.items() if k != "positions"}


@pytest.mark.parametrize("damage", [_torn, _other_format, _no_position])
def test_damage_is_named(
    damage: Callable[[bytes, dict[str, object]], tuple[bytes, dict[str, object]]],
) -> None:
    """Torn or foreign files raise one error, which says that waiting helps or what to do."""
    with pytest.raises(ArtifactError):
        decode_view(*damage(*encode_view(_view(["a", "b"]))))


def test_contradicting_arrays_are_refused() -> None:
    """A neighbour that is no row must never reach a kernel."""
    view = _view(["a", "b", "c"])
    wrong = view.graph._replace(neighbours=np.full(24, 77, dtype=np.uint32))
    with pytest.raises(ArtifactError, match="contradict"):
        decode_view(*encode_view(replace(view, graph=wrong)))


def test_a_view_from_before_close_clicks_has_none() -> None:
    """It is read as one of counters that were not asked for them."""
    view = _view(["a", "b", "c"])
    graph = view.graph._replace(
        weights=view.graph.weights[:, :2],
        row_references=view.graph.row_references[:, :2],
        close_half_lives=np.zeros(0),
    )
    tensors, manifest = encode_view(replace(view, graph=graph))
    arrays = load(tensors)
    del arrays["close_half_lives"]
    read = decode_view(save(arrays), manifest | {"format": 1})
    assert len(read.graph.close_half_lives) == 0
    with pytest.raises(ArtifactError, match="torn"):
        decode_view(save(arrays), manifest)


def test_manifest_is_json() -> None:
    """The manifest survives being a file."""
    tensors, manifest = encode_view(_view(["a"]))
    assert decode_view(tensors, json.loads(json.dumps(manifest))).item_ids == ["a"]
