"""Titles for tests of what shows them."""

from collections.abc import Mapping

from consumers.config.settings import GsrConfig
from consumers.serving.title_table import write_titles


def store_titles(config: GsrConfig, titles: Mapping[str, str]) -> None:
    """Store titles where commands and roles look for them."""
    write_titles(config.titles_file, [titles.items()], most_items=10**6, most_bytes=2**30)
