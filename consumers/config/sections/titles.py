"""Settings `[titles]`: what people call items."""

from typing import Annotated

from pydantic import Field

from consumers.config.sections.section import Count, Section


class TitlesSection(Section):
    """Titles of items, which `gsr items load` stores and everything that people read shows.

    Parameters
    ----------
    file
        Where they are stored; "": `items.sqlite` in state.directory.
    most_items, most_bytes
        Of the stored file: more than this is refused.
    longest_title
        Characters of a title; what is longer is cut.
    """

    file: str = ""
    most_items: Count = 10_000_000
    most_bytes: Annotated[int, Field(ge=1_048_576)] = 2_147_483_648
    longest_title: Annotated[int, Field(ge=2, le=1000)] = 200
