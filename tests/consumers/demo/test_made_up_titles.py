"""Titles of the demo's items follow the file that the shoppers write."""

from pathlib import Path

from consumers.config.settings import GsrConfig
from consumers.demo.made_up_titles import MadeUpTitles, made_up_titles
from consumers.demo.show import DemoOptions, _feeder
from consumers.serving.item_titles import ItemTitles


def test_titles_are_loaded_when_there_are_others(tmp_path: Path) -> None:
    """Not before there are any, and once each; those of an earlier demo do not count."""
    config = GsrConfig().with_values({"state": {"directory": tmp_path / "state"}})
    path = made_up_titles(config)
    path.parent.mkdir()
    path.write_text("item_id,title\nold,Old\n")
    made_up = MadeUpTitles(config)
    titles = ItemTitles(config.titles_file)
    assert not made_up.load()
    for count in (1, 2):
        path.write_text("item_id,title\n" + "".join(f"i{n},Mug {n}\n" for n in range(count)))
        assert made_up.load()
        assert not made_up.load()
        titles.refresh()
        assert titles.count == count
    titles.close()


def test_shoppers_write_them_where_they_are_looked_for() -> None:
    """And not where clicks come from a file, whose items have other names."""
    config = GsrConfig()
    command = _feeder(DemoOptions(), config, {}).command
    assert command[command.index("--titles") + 1] == str(made_up_titles(config))
    assert "--titles" not in _feeder(DemoOptions(events=Path("c.csv")), config, {}).command
