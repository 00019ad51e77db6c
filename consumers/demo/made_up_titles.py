"""Titles of the demo's items, loaded as `gsr items load` does."""

from pathlib import Path

from consumers.config.settings import GsrConfig
from consumers.serving.title_loading import load_titles
from stream.events.files.title_file import TitleFile


def made_up_titles(config: GsrConfig) -> Path:
    """Return the file to which `gsr simulate` writes what it calls its items."""
    return config.state.directory / "made-up-titles.csv"


class MadeUpTitles:
    """Loads the titles of simulated items, again whenever there are new items.

    Parameters
    ----------
    config
        Says where titles are kept.
    """

    def __init__(self, config: GsrConfig) -> None:
        self._config = config
        self._path = made_up_titles(config)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._loaded: int | None = None

    def load(self) -> bool:
        """Load the file if it is another one than before; say so."""
        try:
            written = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return False
        if written == self._loaded:
            return False
        self._loaded = written
        load_titles(
            self._config,
            TitleFile([self._path], longest=self._config.titles.longest_title),
        )
        return True
