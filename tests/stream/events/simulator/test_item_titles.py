"""Titles of the simulated shop: speaking, of one kind within a taste, and each only once."""

import csv
from pathlib import Path

import numpy as np

from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.item_titles import item_title, shop_titles, with_titles
from stream.events.simulator.shoppers import Simulator


def test_no_two_items_have_the_same_title() -> None:
    """However many there are, and whatever they belong to."""
    chance = np.random.default_rng(1)
    tastes = chance.integers(30, size=50_000).tolist()
    titles = [item_title(number, taste) for number, taste in enumerate(tastes)]
    assert len(set(titles)) == len(titles)
    assert all(title.isprintable() and len(title) < 40 for title in titles)
    assert all(title[0].isupper() for title in titles)


def test_items_of_one_taste_sound_alike() -> None:
    """The first items of a shop are of few things each, and of others in another taste."""
    simulator = Simulator(SimulatorConfig(), np.random.default_rng(1))
    things: dict[int, set[str]] = {}
    for (_, title), taste in zip(
        shop_titles(simulator.truth), simulator.truth.item_tastes.tolist(), strict=True
    ):
        things.setdefault(taste, set()).add(title.partition(",")[0].partition(" ")[2])
    assert len(things) == 12
    assert {len(found) for found in things.values()} == {12}
    assert len(set.union(*things.values())) == 12 * 12


def test_titles_are_written_before_the_clicks_that_need_them(tmp_path: Path) -> None:
    """New items too; and the clicks are those that come without titles."""
    config = SimulatorConfig(items=50, new_items_per_hour=3000.0)
    path = tmp_path / "titles.csv"
    simulator = Simulator(config, np.random.default_rng(1))
    written = []
    seen = []
    for batch in with_titles(simulator.events(60_000), simulator.truth, path):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert header == ["item_id", "title"]
        titles: dict[str, str] = dict(rows)
        assert set(batch.item_ids) <= titles.keys()
        written.append(len(titles))
        seen += batch.item_ids
    assert written[-1] > written[0] > 50
    plain = Simulator(config, np.random.default_rng(1))
    assert seen == [item for batch in plain.events(60_000) for item in batch.item_ids]
    assert [entry.name for entry in tmp_path.iterdir()] == ["titles.csv"]
