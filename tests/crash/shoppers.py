"""Clicks for a pipeline that is being disturbed: some twice, some bad, some that forget."""

import threading
from collections.abc import Callable

import numpy as np

from consumers.config.settings import GsrConfig
from stream.clock import Clock
from stream.errors import LogUnavailableError
from stream.events.clicks.encoding import outgoing_clicks
from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.shoppers import Simulator
from stream.log.interface import Log, Outgoing, Writer

REPEATED_EVERY = 7
BAD_EVERY = 13
FORGET_EVERY = 29
"""One record of this kind in so many batches."""


class Shoppers:
    """Sends simulated clicks at a steady rate on a thread, however often the log is away.

    Parameters
    ----------
    log, config, clock
        Where to, and the time that clicks are stamped with.
    seed
        Of clicks and of what is wrong with some.
    clicks
        How many to send.
    clicks_per_second
        How fast at most.
    users, items
        Of the shop.
    """

    def __init__(
        self,
        log: Log,
        config: GsrConfig,
        clock: Clock,
        *,
        seed: int,
        clicks: int,
        clicks_per_second: float,
        users: int = 20_000,
        items: int = 5000,
    ) -> None:
        self.sent = 0
        self.retries = 0
        self._log = log
        self._topic = config.log.clicks
        self._clock = clock
        self._rng = np.random.default_rng(seed)
        self._clicks = clicks
        self._rate = clicks_per_second
        self._shop = SimulatorConfig(users=users, items=items, clicks_per_second=clicks_per_second)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, name="shoppers", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether all was sent."""
        return not self._thread.is_alive()

    def finish(self, seconds: float) -> None:
        """Wait until all was sent."""
        self._thread.join(seconds)
        assert self.done, f"only {self.sent} clicks were sent"
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()
        self._thread.join(60.0)

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - raised by `finish`
            self._error = error

    def _run(self) -> None:
        writer = self._log.writer(self._topic)
        batch = max(10, min(2000, int(self._rate / 10)))
        began = self._clock.monotonic()
        simulator = Simulator(self._shop, self._rng)
        for number, events in enumerate(simulator.events(self._clicks, batch_rows=batch)):
            events.times[:] = self._clock.time() + 1e-6 * np.arange(len(events))
            records = outgoing_clicks(events)
            if number % REPEATED_EVERY == 0:
                records += records[:2]
            if number % BAD_EVERY == 0:
                records.append(Outgoing(records[0].key, b"{bad"))
            if number % FORGET_EVERY == 0:
                records.append(Outgoing(records[-2].key, None))
            if not self._append(writer, records):
                return
            self.sent += len(events)
            ahead = self.sent / self._rate - (self._clock.monotonic() - began)
            if self._stop.wait(max(0.0, ahead)):
                return

    def _append(self, writer: Writer, records: list[Outgoing]) -> bool:
        return _retried(lambda: writer.append(records), self._stop, self._count)

    def _count(self) -> None:
        self.retries += 1


def _retried(work: Callable[[], object], stop: threading.Event, failed: Callable[[], None]) -> bool:
    """Do `work`, again and again while the log is away; False where `stop` came first."""
    while True:
        try:
            work()
        except LogUnavailableError:
            failed()
            if stop.wait(0.5):
                return False
        else:
            return True
