"""Titles from files of items into the file of titles."""

from consumers.config.settings import GsrConfig
from consumers.serving.title_table import write_titles
from stream.errors import EventFileError
from stream.events.files.title_file import TitleFile


def load_titles(config: GsrConfig, file: TitleFile) -> int:
    """Put the titles of `file` in place of those that there were; return how many items have one.

    Raises
    ------
    EventFileError
        The file cannot be read, a row is bad, or no item has a title; nothing was changed.
    ConfigError
        There are more titles than the settings allow; nothing was changed.
    StorageFullError
        They cannot be written.
    """
    limits = config.titles
    count = write_titles(
        config.titles_file,
        file.read(),
        most_items=limits.most_items,
        most_bytes=limits.most_bytes,
    )
    if not count:
        raise EventFileError(
            file.name,
            "holds no item with a title: check the columns with --column item=NAME --column "
            "title=NAME; nothing was changed",
        )
    return count
