"""Detection of a reader that is stuck, or cut off, rather than idle."""

from collections.abc import Collection, Mapping
from typing import Final

from stream.clock import Clock, Periodic

_STALLED_PROBES: Final = 3


class SilenceWatch:
    """Tells an idle topic from a cluster that is away and from a client that is stuck.

    Parameters
    ----------
    clock
        Times the silence.
    patience_seconds
        How long to be content with silence, and to wait for an answer then.
    """

    def __init__(self, clock: Clock, patience_seconds: float) -> None:
        self.patience_seconds: Final = patience_seconds
        self._asking = Periodic(clock, patience_seconds, first=patience_seconds)
        self._before: dict[int, int] = {}
        self._stalled_probes = 0

    def heard(self) -> None:
        """Begin anew: records came."""
        self._asking.restart()
        self._stalled_probes = 0

    def is_due(self, positions: Mapping[int, int]) -> bool:
        """Return whether it has been silent for so long that the cluster should be asked.

        It stays due until the cluster has answered, which `is_stalled` is told.
        """
        return bool(positions) and self._asking.seconds_left() <= 0

    def is_stalled(self, positions: Mapping[int, int], behind: Collection[int]) -> bool:
        """Return whether the client is stuck: behind the end, probe after probe, without moving.

        Parameters
        ----------
        positions
            Where the reader is.
        behind
            Partitions whose end lies further on.
        """
        self._asking.restart()
        stuck = any(self._before.get(p) == positions[p] for p in behind)
        self._before = {p: positions[p] for p in behind}
        self._stalled_probes = self._stalled_probes + 1 if stuck else 0
        if self._stalled_probes < _STALLED_PROBES:
            return False
        self._stalled_probes = 0
        return True
