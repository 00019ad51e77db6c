"""Parts of histories as packed clicks."""

import numpy as np
import torch

from gsr.config import ModelConfig
from gsr.learning.history_windows import pack_windows
from gsr.network.model import JointModel, as_clicks
from gsr.votes.click_graph import UNDYING
from tests.gsr.world import one_click_a_minute

ITEMS = 10
CLICKS = one_click_a_minute(np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 0, 1, 2]]), ITEMS)


def test_each_user_gives_consecutive_clicks() -> None:
    """Users in the order given, with where their clicks stand among all."""
    windows = pack_windows(CLICKS, np.array([9, 0]), np.array([12, 2]))
    assert windows.positions.tolist() == [9, 10, 11, 0, 1]
    assert windows.packed.items.tolist() == [0, 1, 2, 1, 2]
    assert windows.packed.row.tolist() == [0, 0, 0, 1, 1]
    assert windows.packed.column.tolist() == [0, 1, 2, 0, 1]
    assert windows.packed.last.tolist() == [2, 4]
    assert windows.packed.length == 3


def test_the_first_click_of_a_part_has_no_pause_before_it() -> None:
    """Whatever came before is not read."""
    windows = pack_windows(CLICKS, np.array([5]), np.array([8]))
    assert windows.packed.gaps.tolist() == [0.0, 60.0, 60.0]


def test_every_click_is_encoded_as_the_newest_is() -> None:
    """After its last click a user's vector is what `JointNetwork.encode` says."""
    shape = ModelConfig(half_lives=UNDYING, dimension=16, history_length=6, graph_encoder=False)
    model = JointModel(shape, seed=1)
    model.table.grow(ITEMS)
    users = np.arange(3)
    windows = pack_windows(CLICKS, CLICKS.starts[users], CLICKS.starts[users] + 4)
    tokens = as_clicks(windows.packed, windows.packed.items)
    with torch.no_grad():
        every = model.network.encode_clicks(model.table.weight, None, tokens)
        newest = model.network.encode(model.table.weight, None, tokens)
    torch.testing.assert_close(every[torch.from_numpy(windows.packed.last)], newest)
