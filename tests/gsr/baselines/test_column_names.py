"""Names of columns tell what was chosen, and nothing where there was nothing to choose."""

from consumers.offline.replay.rivals import BaselineSelection
from gsr.baselines.column_names import column_settings, kind_of


def test_every_default_column_with_a_setting_says_it() -> None:
    """Half-lives in seconds, and the share of the graph in a mix."""
    names = BaselineSelection().baselines(lambda: 0.0).names
    told = {name: column_settings(name) for name in names}
    assert all(bool(found) == ("@" in name) for name, found in told.items())
    for name, found in told.items():
        share = found.pop("graph_share", 0.5)
        assert 0.0 < share < 1.0
        assert len(found) == (2 if kind_of(name) == "mix" else min(len(found), 1))
        assert all(seconds >= 60.0 for seconds in found.values())


def test_words_are_no_settings() -> None:
    assert column_settings("item-knn@all") == column_settings("vstan") == {}
    assert kind_of("item-knn@all") == "item-knn"
