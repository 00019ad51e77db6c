"""Names of the columns of a file of items."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from stream.events.files.named_columns import NamedColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleColumns(NamedColumns):
    """The names that a file of items gives its columns; others in it are ignored.

    Parameters
    ----------
    item, title
        Must be in the file.

    Examples
    --------
    >>> print(TitleColumns().missing(["movieId", "title", "genres"]))
    no column item_id among movieId, title, genres; if movieId is meant, map it:
    --column item=movieId
    """

    # Names seen in public catalogues.
    synonyms: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "item": (
            *("item", "id", "iid", "productid", "articleid", "movieid", "bookid", "trackid"),
            *("songid", "asin", "parentasin", "sku", "newsid", "contentid", "videoid", "pageid"),
        ),
        "title": ("name", "itemtitle", "itemname", "productname", "producttitle", "headline"),
    }

    item: str = "item_id"
    title: str = "title"
