"""How many requests each client may make."""

import math
from collections import OrderedDict

from consumers.runtime.token_bucket import TokenBucket
from stream.clock import Clock


class ClientLimits:
    """An allowance for each client; who was away longest is forgotten.

    Parameters
    ----------
    per_second, burst
        Requests of each client, and how many at once.
    most_clients
        Clients that are remembered.
    clock
        Fills the allowances.

    Examples
    --------
    >>> from stream.clock import ManualClock
    >>> clock = ManualClock()
    >>> limits = ClientLimits(2.0, 1, 100, clock)
    >>> limits.wait_seconds("a"), limits.wait_seconds("a"), limits.wait_seconds("b")
    (0, 1, 0)
    """

    def __init__(self, per_second: float, burst: int, most_clients: int, clock: Clock) -> None:
        self._per_second = per_second
        self._burst = burst
        self._most_clients = most_clients
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_seconds(self, client: str) -> int:
        """Count a request; return 0, or after how many seconds the client may ask again."""
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = TokenBucket(self._per_second, self._clock, capacity=self._burst)
            self._buckets[client] = bucket
            if len(self._buckets) > self._most_clients:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(client)
        missing = 1.0 - bucket.left()
        if missing > 0.0:
            return max(1, math.ceil(missing / self._per_second))
        bucket.spend(1)
        return 0
