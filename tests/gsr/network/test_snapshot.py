"""A model as bytes."""

import json

import numpy as np
import pytest
import torch

from gsr.errors import SnapshotError
from gsr.network.model import JointModel
from gsr.network.snapshot import (
    decode_tensors,
    encode_tensors,
    from_snapshot,
    to_manifest,
    to_tensors,
)
from tests.gsr.world import World, histories, shoppers, small_config


@pytest.fixture
def world() -> World:
    """Return a world that a hundred clicks went through."""
    world = World()
    shoppers(world, 100, np.random.default_rng(0))
    return world


def test_a_snapshot_round_trip_keeps_every_score(world: World) -> None:
    """Through bytes and JSON the model comes back whole, generations included."""
    model, graph = JointModel(small_config(), seed=3), world.graph()
    model.grow(graph)
    model.renew(np.array([4]), graph)
    data = encode_tensors(to_tensors(model), {"version": "7"})
    manifest = json.loads(json.dumps(to_manifest(model)))
    again = from_snapshot(decode_tensors(data), manifest)
    items, others = model.encode_items(graph), again.encode_items(graph)
    assert np.array_equal(items.fused, others.fused)
    users = histories([[(3, 10.0, 0), (4, 20.0, 0)]], [99.0])
    assert np.array_equal(model.user_vectors(users, items), again.user_vectors(users, others))
    assert torch.equal(model.table.generations, again.table.generations)


def test_torn_bytes_are_refused() -> None:
    """Half a file is no snapshot."""
    data = encode_tensors(to_tensors(JointModel(small_config())))
    with pytest.raises(SnapshotError, match="not whole"):
        decode_tensors(data[: len(data) // 2])


def test_missing_tensors_and_other_formats_are_refused() -> None:
    """A manifest must fit its tensors and this build."""
    model = JointModel(small_config())
    tensors, manifest = to_tensors(model), to_manifest(model)
    with pytest.raises(SnapshotError, match="do not fit"):
        from_snapshot({k: t for k, t in tensors.items() if "gate" not in k}, manifest)
    with pytest.raises(SnapshotError, match="do not fit"):
        from_snapshot({k: t for k, t in tensors.items() if not k.startswith("items")}, manifest)
    with pytest.raises(SnapshotError, match="format 9"):
        from_snapshot(tensors, manifest | {"model_format": 9})
    strange = manifest | {"config": manifest["config"] | {"wings": 2}}
    with pytest.raises(SnapshotError, match="unknown here"):
        from_snapshot(tensors, strange)
