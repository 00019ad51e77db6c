"""All records of a state."""

from dataclasses import replace
from pathlib import Path

from stream.state.dump import dump
from tests.stream.state.click_stories import START, Told
from tests.stream.state.shop import CONFIG, apply, open_store, shopping


def test_what_does_not_count_is_left_out(tmp_path: Path) -> None:
    """Expired users, swept or not, and which topics the clicks came from."""
    config = replace(CONFIG, user_ttl_seconds=50.0)
    for name, sweeps in (("swept", 3), ("not swept", 1)):
        store = open_store(tmp_path / name, config)
        apply(store, shopping(2, 8))
        if sweeps > 1:
            store.flush()
        apply(store, [Told(7, 1, START + 100)])
        store.remember_topic("clicks", name)
        store.flush()
        store.close()
    swept, other = list(dump(tmp_path / "swept")), list(dump(tmp_path / "not swept"))
    assert swept == other
    assert [key for family, key, _ in swept if family == "users"] == [b"user-7"]
    assert [family for family, _, _ in swept] == sorted(
        (family for family, _, _ in swept),
        key=("meta", "users", "filters", "items", "graph", "feed").index,
    )
