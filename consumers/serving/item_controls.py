"""Item controls of the shop, and the items that they keep out of all lists."""

import heapq
import logging
from collections.abc import Callable

from stream.errors import RecordFormatError
from stream.events.records.item_control import ItemControl, decode_item_control
from stream.log.interface import RecordBatch

_LOGGER = logging.getLogger(__name__)


class ItemControls:
    """The newest control of each item that has one, and the items they block now.

    Parameters
    ----------
    foreign
        Called for each record that is none of ours.

    Examples
    --------
    >>> controls = ItemControls()
    >>> controls.put("i1", ItemControl(item_id="i1", expires_at=10.0), now=5.0)
    >>> controls.take_newly_blocked(now=9.0), controls.take_newly_blocked(now=10.0)
    (set(), {'i1'})
    """

    def __init__(self, foreign: Callable[[], None] = lambda: None) -> None:
        self._foreign = foreign
        self._controls: dict[str, ItemControl] = {}
        self._expiries: list[tuple[float, str]] = []
        self._newly: set[str] = set()
        self.blocked: set[str] = set()
        self.changed = False

    def apply(self, batch: RecordBatch, now: float) -> None:
        """Take over the records of a batch of `items`; `now` is in seconds since the epoch."""
        for key, value in zip(batch.keys, batch.values, strict=True):
            item_id = (key or b"").decode(errors="replace")
            if value is None:
                self.put(item_id, None, now)
                continue
            try:
                control = decode_item_control(value)
            except RecordFormatError as error:
                _LOGGER.warning("item control of %r ignored: %s", item_id, error)
                self._foreign()
                continue
            self.put(item_id, control, now)

    def put(self, item_id: str, control: ItemControl | None, now: float) -> None:
        """Take over one item's control; None: there is none any more."""
        if control is None:
            self._controls.pop(item_id, None)
        else:
            self._controls[item_id] = control
            if control.expires_at is not None:
                heapq.heappush(self._expiries, (control.expires_at, item_id))
        self._judge(item_id, now)

    def take_newly_blocked(self, now: float) -> set[str]:
        """Return the items that were blocked or expired since the last call."""
        while self._expiries and self._expiries[0][0] <= now:
            self._judge(heapq.heappop(self._expiries)[1], now)
        newly, self._newly = self._newly & self.blocked, set()
        return newly

    def take_changed(self) -> bool:
        """Return whether `blocked` changed since the last call."""
        changed, self.changed = self.changed, False
        return changed

    def _judge(self, item_id: str, now: float) -> None:
        control = self._controls.get(item_id)
        blocked = control is not None and not control.recommendable(now)
        if blocked and item_id not in self.blocked:
            self.blocked.add(item_id)
            self._newly.add(item_id)
            self.changed = True
        elif not blocked and item_id in self.blocked:
            self.blocked.discard(item_id)
            self.changed = True
