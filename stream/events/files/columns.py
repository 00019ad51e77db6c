"""Names of the columns of an event file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from stream.events.files.named_columns import NamedColumns, shown_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns(NamedColumns):
    """The names that an event file gives its columns.

    Parameters
    ----------
    user, item, timestamp
        Must be in the file.
    event, event_id
        May be absent under their default names; must be there when named otherwise.

    Examples
    --------
    >>> Columns(user="visitor", timestamp="ts").item
    'item_id'
    """

    # Names seen in public click logs.
    synonyms: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "user": ("user", "uid", "visitorid", "customerid", "shopperid", "reviewerid", "sessionid"),
        "item": (
            *("item", "iid", "productid", "articleid", "movieid", "bookid", "trackid", "songid"),
            *("asin", "sku", "newsid", "contentid", "videoid", "pageid", "page", "url"),
        ),
        "timestamp": (
            *("time", "ts", "datetime", "date", "eventtime", "createdat", "unixreviewtime"),
            *("dateadded", "datetimeutc"),
        ),
        "event": ("eventtype", "action", "behavior", "type", "eventname", "feedbacktype"),
        "event_id": ("id", "uuid", "eventuuid"),
    }
    optional: ClassVar[tuple[str, ...]] = ("event", "event_id")
    advised: ClassVar[tuple[str, ...]] = ("event",)

    user: str = "user_id"
    item: str = "item_id"
    timestamp: str = "timestamp"
    event: str = "event"
    event_id: str = "event_id"

    def unread_event(self, found: Sequence[str]) -> str | None:
        """Return a word about a column that may hold events and is not read; None without one.

        Examples
        --------
        >>> print(Columns().unread_event(["user_id", "item_id", "timestamp", "action"]))
        column action is not read; if it holds events: --column event=action
        """
        if "event" in self.within(found) or (name := self._synonym("event", found)) is None:
            return None
        shown = shown_name(name)
        return f"column {shown} is not read; if it holds events: --column event={shown}"
