"""Names of a partition's item indexes outlive the items."""

import numpy as np

from consumers.roles.trainer.item_names import ItemNames


def test_names_of_later_checkpoints_are_added() -> None:
    """Indexes only grow; a checkpoint tells those from the last one's end on."""
    names = ItemNames()
    names.learn(0, [(0, "tea"), (2, "jam")])
    names.learn(3, [(5, "salt")])
    names.learn(6, [])
    assert len(names) == 3
    assert list(names.of(np.array([5, 0, 2]))) == ["salt", "tea", "jam"]


def test_unknown_indexes_have_no_name() -> None:
    """Before, between and past the known ones, and those of forget rows."""
    names = ItemNames()
    assert list(names.of(np.array([0, -1]))) == ["", ""]
    names.learn(1, [(1, "tea"), (3, "jam")])
    assert list(names.of(np.array([0, 1, 2, 3, 4, -1]))) == ["", "tea", "", "jam", "", ""]


def test_a_state_built_anew_gives_its_indexes_anew() -> None:
    """What was known from there on is dropped, the rest stays."""
    names = ItemNames()
    names.learn(0, [(0, "tea"), (1, "jam"), (2, "salt")])
    names.learn(1, [(1, "pepper")])
    assert list(names.of(np.array([0, 1, 2]))) == ["tea", "pepper", ""]
